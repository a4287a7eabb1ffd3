# SPDX-License-Identifier: Apache-2.0

"""flake8 checks that hold the walls between the rooms of the package.

A room is a subpackage of nova_hyperv_enlight, or a module at its top. What
each may import is a table; a room that is not in it is an error, so that the
table stays complete.

* EN301: a room imports another one against the direction of imports
* EN302: a room imports a third-party package that is not in its row
* EN303: a package that may be missing, or a room that is seldom needed, is
  imported at module level
* EN304: a pure room imports what does I/O, logs, or asks clock or dice
* EN305: an option is made or registered outside conf/
* EN306: something is printed outside cmd/
* EN307: an XPath starts with ``//``, and so searches the whole document
* EN308: a room that the table does not know
"""

import ast
import dataclasses
import pathlib
import sys

PACKAGE = 'nova_hyperv_enlight'

#: What every room may import.
EVERYWHERE = {'exception'}

#: What a pure room does without.
IMPURE = {
    'asyncio', 'datetime', 'fcntl', 'fileinput', 'glob', 'io', 'logging',
    'mmap', 'multiprocessing', 'os', 'oslo_log', 'pathlib', 'platform',
    'random', 'secrets', 'select', 'shutil', 'socket', 'subprocess', 'sys',
    'tempfile', 'threading', 'time', 'urllib', 'uuid',
}  # fmt: skip

CORE = {'catalogue', 'host', 'domxml', 'policy'}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What one room may touch.

    :ivar rooms: the other rooms that it may import
    :ivar lazy_rooms: further ones, inside functions only
    :ivar packages: the third-party packages, or parts of them, that it may
        import
    :ivar lazy: further ones, inside functions only
    :ivar pure: whether it does neither I/O nor logging
    :ivar impure_modules: the modules of a pure room that this is not true of
    """

    rooms: frozenset = frozenset()
    lazy_rooms: frozenset = frozenset()
    packages: frozenset = frozenset()
    lazy: frozenset = frozenset()
    pure: bool = False
    impure_modules: frozenset = frozenset()


ROOMS = {
    'catalogue': Room(pure=True),
    'host': Room(
        rooms={'catalogue'},
        packages={'lxml', 'oslo_log', 'oslo_utils'},
        pure=True,
        # The kernel is asked in one module, and one keeps the answers.
        impure_modules={'kvm', 'probe'},
    ),
    'policy': Room(
        rooms={'catalogue', 'host'}, packages={'oslo_utils'}, pure=True
    ),
    'domxml': Room(
        rooms={'catalogue', 'host'},
        packages={'lxml'},
        pure=True,
        # It reads the files of a schema.
        impure_modules={'schema'},
    ),
    # The byte-exact editor is fenced in: it knows no policy.
    'editor': Room(
        rooms={'catalogue', 'host', 'domxml'}, packages={'lxml'}, pure=True
    ),
    'notation': Room(rooms=CORE, packages={'lxml', 'yaml'}, pure=True),
    'hooks': Room(
        rooms=CORE,
        packages={'lxml', 'nova.virt.libvirt.config', 'oslo_log', 'stevedore'},
    ),
    'guest': Room(rooms=CORE, packages={'lxml', 'oslo_log'}),
    # The guests of one host, and the hosts of a fleet.
    'domains': Room(rooms=CORE | {'editor'}, packages={'oslo_log'}),
    'fleet': Room(rooms=CORE, packages={'oslo_log'}, lazy={'openstack'}),
    'virt': Room(
        rooms=CORE | {'conf', 'hooks'},
        # Starts guests of its own, with verify_host only.
        lazy_rooms={'guest'},
        packages={
            'lxml',
            'nova',
            'os_vif',
            'oslo_config',
            'oslo_log',
            'oslo_utils',
        },
    ),
    'cmd': Room(
        rooms=CORE
        | {'conf', 'domains', 'editor', 'fleet', 'guest', 'hooks', 'notation'},
        packages={
            'cliff',
            'oslo_config',
            'oslo_log',
            'oslo_upgradecheck',
            'tqdm',
        },
        lazy={'libvirt', 'nova'},
    ),
    'conf': Room(
        rooms={'catalogue', 'policy'}, packages={'oslo_config', 'yaml'}
    ),
    'extra_specs': Room(
        rooms={'catalogue', 'conf', 'policy'},
        packages={
            'nova.api.validation.extra_specs',
            'nova.conf',
            'nova.exception',
            'oslo_log.log',
        },
    ),
    'exception': Room(pure=True),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One imported module.

    :ivar node: the statement
    :ivar names: the parts of the module's name
    :ivar lazy: whether it stands inside a function
    """

    node: ast.AST
    names: tuple
    lazy: bool

    @property
    def package(self):
        return self.names[0]

    def is_in(self, packages):
        """Whether it is one of these packages or a part of one."""
        names = '.'.join(self.names) + '.'
        return any(names.startswith(f'{package}.') for package in packages)

    @property
    def room(self):
        """The room that it is from; None outside the package."""
        if self.package == PACKAGE and len(self.names) > 1:
            return self.names[1]
        return None


class Visitor(ast.NodeVisitor):
    """Collect what the checks ask about.

    :ivar imports: every module that is imported
    :ivar calls: every call
    :ivar texts: every text constant
    :ivar streams: every use of sys.stdout and sys.stderr
    """

    def __init__(self):
        self.imports = []
        self.calls = []
        self.texts = []
        self.streams = []
        self._functions = 0

    def _add(self, node, name):
        self.imports.append(
            Import(
                node=node,
                names=tuple(name.split('.')),
                lazy=self._functions > 0,
            )
        )

    def _visit_function(self, node):
        self._functions += 1
        self.generic_visit(node)
        self._functions -= 1

    visit_FunctionDef = _visit_function
    visit_AsyncFunctionDef = _visit_function
    visit_Lambda = _visit_function

    def visit_If(self, node):
        # What is imported for the type checker alone is not imported.
        if dotted(node.test) not in ('TYPE_CHECKING', 'typing.TYPE_CHECKING'):
            self.generic_visit(node)
            return
        for child in node.orelse:
            self.visit(child)

    def visit_Import(self, node):
        for alias in node.names:
            self._add(node, alias.name)

    def visit_ImportFrom(self, node):
        if node.level:
            return  # H304 refuses relative imports.
        for alias in node.names:
            self._add(node, f'{node.module}.{alias.name}')

    def visit_Call(self, node):
        self.calls.append(node)
        name = dotted(node.func)
        if name.rpartition('.')[2] in ('import_module', '__import__'):
            argument = next(iter(node.args), None)
            if isinstance(argument, ast.Constant):
                self._add(node, str(argument.value))
        self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, str):
            self.texts.append(node)

    def visit_JoinedStr(self, node):
        # Of a formatted text only the beginning is one.
        for place, value in enumerate(node.values):
            if place == 0 or not isinstance(value, ast.Constant):
                self.visit(value)

    def visit_Attribute(self, node):
        if dotted(node) in ('sys.stdout', 'sys.stderr'):
            self.streams.append(node)
        self.generic_visit(node)


def dotted(node):
    """Return ``a.b.c`` for a name or attribute, else an empty text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        start = dotted(node.value)
        return f'{start}.{node.attr}' if start else ''
    return ''


def where(filename):
    """Return the room that a file belongs to and its module's name.

    :returns: (None, None) outside the package and for its ``__init__``
    """
    parts = pathlib.PurePath(filename).with_suffix('').parts
    if PACKAGE not in parts:
        return None, None
    start = len(parts) - parts[::-1].index(PACKAGE)
    if parts[start:] in ((), ('__init__',)):
        return None, None
    return parts[start], parts[-1]


class Rooms:
    """The flake8 plugin: one visit to the tree serves every check."""

    name = 'rooms'
    version = '1'

    def __init__(self, tree, filename):
        self._tree = tree
        self._name, self._module = where(filename)

    def run(self):
        if self._name is None:
            return
        for node, message in self._check():
            # A module has no place of its own.
            line = getattr(node, 'lineno', 1)
            column = getattr(node, 'col_offset', 0)
            yield line, column, message, type(self)

    def _check(self):
        room = ROOMS.get(self._name)
        if room is None:
            message = f"EN308: '{self._name}' is no room of hacking/checks.py"
            yield self._tree, message
            return
        seen = Visitor()
        seen.visit(self._tree)
        for imported in seen.imports:
            message = self._import(room, imported)
            if message:
                yield imported.node, message
        for call in seen.calls:
            yield from self._call(room, call)
        if self._name != 'cmd':
            for node in seen.streams:
                yield node, f'EN306: {dotted(node)} belongs to cmd/'
        for node in seen.texts:
            if node.value.startswith('//'):
                yield (
                    node,
                    "EN307: '//' searches the whole document; start with './'",
                )

    def _pure(self, room):
        return room.pure and self._module not in room.impure_modules

    def _import(self, room, imported):
        """Return the message for one import, or None."""
        package = imported.package
        if package == PACKAGE:
            allowed = room.rooms | EVERYWHERE | {self._name, None}
            if imported.room in room.lazy_rooms:
                if not imported.lazy:
                    return f'EN303: import {imported.room} inside a function'
            elif imported.room not in allowed:
                return f'EN301: {self._name} must not import {imported.room}'
        elif self._pure(room) and package in IMPURE:
            return f'EN304: {self._name} is pure, it must not use {package}'
        elif imported.is_in(room.lazy):
            if not imported.lazy:
                return f'EN303: import {package} inside a function'
        elif package not in sys.stdlib_module_names and not imported.is_in(
            room.packages
        ):
            name = '.'.join(imported.names)
            return f'EN302: {self._name} must not import {name}'
        return None

    def _call(self, room, call):
        name = dotted(call.func)
        if self._pure(room) and name == 'open':
            yield call, f'EN304: {self._name} is pure, it must not use open'
        if self._name != 'cmd' and name in ('print', 'pprint.pprint'):
            yield call, f'EN306: {name} belongs to cmd/'
        if self._name != 'conf' and is_option(name):
            yield call, f'EN305: {name} belongs to conf/'


def is_option(name):
    """Whether a call makes or registers an option of oslo.config."""
    owner, _, function = name.rpartition('.')
    if owner.rpartition('.')[2] == 'cfg':
        return function.endswith(('Opt', 'OptGroup'))
    return owner.rpartition('.')[2] == 'CONF' and function.startswith(
        'register_'
    )
