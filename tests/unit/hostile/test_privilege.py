# SPDX-License-Identifier: Apache-2.0

"""What the package does not do with the rights that it has."""

import ast
import pathlib

import ddt

import nova_hyperv_enlight
from tests.unit import base

PACKAGE = pathlib.Path(nova_hyperv_enlight.__file__).parent
#: What starts a program, or becomes somebody else.
MODULES = {
    *('subprocess', 'pty', 'popen2', 'commands', 'pipes', 'pexpect'),
    *('oslo_concurrency', 'oslo_privsep', 'multiprocessing', 'ctypes'),
    *('pickle', 'marshal', 'shelve', 'dill'),
}
FUNCTIONS = {
    *('system', 'popen', 'fork', 'forkpty', 'posix_spawn', 'posix_spawnp'),
    *('startfile', 'execv', 'execve', 'execvp', 'execvpe', 'execl', 'execle'),
    *('execlp', 'execlpe', 'spawnv', 'spawnve', 'spawnvp', 'spawnl'),
    *('setuid', 'seteuid', 'setgid', 'setegid', 'setreuid', 'setresuid'),
    *('eval', 'exec', '__import__'),
}
SOURCES = {
    str(path.relative_to(PACKAGE)): path for path in PACKAGE.rglob('*.py')
}


#: What imports a module by its name, which may be computed.
IMPORTERS = {'importlib.import_module', '__import__', 'builtins.__import__'}
#: Who does so, by the one argument that it gives. Nothing of a request gets
#: there.
IMPORTS_BY_NAME = {'virt/bootstrap.py': 'DRIVER'}


class Uses(ast.NodeVisitor):
    """Collects what code refers to, by names as their modules give them.

    Every reference counts, not only calls: a function that is taken may be
    called elsewhere under another name.

    :ivar found: modules, and functions of them with dots.
    :ivar by_name: the arguments of what imports by name.
    """

    def __init__(self):
        self.found = set()
        self.by_name = []
        self._names = {}

    def visit_Import(self, node):
        for name in node.names:
            self.found.add(name.name)
            if name.asname:
                self._names[name.asname] = name.name
            else:
                top = name.name.partition('.')[0]
                self._names[top] = top

    def visit_ImportFrom(self, node):
        for name in node.names:
            full = f'{node.module}.{name.name}'
            self.found |= {node.module or '', full}
            self._names[name.asname or name.name] = full

    def _full(self, node):
        """Return what an expression refers to, None where it cannot be."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self._full(node.value)
            return f'{owner}.{node.attr}' if owner else None
        if isinstance(node, ast.Call) and len(node.args) > 1:
            # getattr(os, 'system')
            if self._full(node.func) == 'getattr':
                owner, name = self._full(node.args[0]), node.args[1]
                if owner and isinstance(name, ast.Constant):
                    return f'{owner}.{name.value}'
        return None

    def generic_visit(self, node):
        full = self._full(node)
        if full:
            self.found.add(full)
        super().generic_visit(node)

    def visit_Assign(self, node):
        full = self._full(node.value)
        if full:
            for target in node.targets:
                if isinstance(target, ast.Name):
                    self._names[target.id] = full
        self.generic_visit(node)

    def visit_Call(self, node):
        if self._full(node.func) in IMPORTERS:
            self.by_name.append(ast.unparse(node.args[0]))
            if isinstance(node.args[0], ast.Constant):
                self.found.add(node.args[0].value)
        self.generic_visit(node)


def uses(text):
    """Return what the text of a module refers to."""
    tree = ast.parse(text)
    found = Uses()
    # Twice: a function may use what is imported below it.
    found.visit(tree)
    found.by_name.clear()
    found.visit(tree)
    return found


def forbidden(text):
    """Return what of a text starts programs, or becomes somebody else."""
    return {
        name
        for name in uses(text).found
        if name.partition('.')[0] in MODULES
        or name in FORBIDDEN
        or name.startswith('os.')
        and name.endswith('.*')
    }


FORBIDDEN = {
    *(f'os.{name}' for name in FUNCTIONS),
    *(f'posix.{name}' for name in FUNCTIONS),
    *(f'builtins.{name}' for name in ('eval', 'exec', '__import__')),
    *('eval', 'exec', '__import__', 'os.*', 'builtins.*'),
    *('runpy.run_path', 'runpy.run_module', 'code.InteractiveInterpreter'),
    *('asyncio.create_subprocess_exec', 'asyncio.create_subprocess_shell'),
}


@ddt.ddt
class SourceTestCase(base.TestCase):
    @ddt.data(*sorted(SOURCES))
    def test_starts_no_program(self, name):
        self.assertEqual(set(), forbidden(SOURCES[name].read_text()))

    @ddt.data(*sorted(SOURCES))
    def test_imports_by_name(self, name):
        # Nothing tells what such an import brings, so each one is known.
        known = [IMPORTS_BY_NAME[name]] if name in IMPORTS_BY_NAME else []
        self.assertEqual(known, uses(SOURCES[name].read_text()).by_name)

    @ddt.data(
        'import subprocess',
        'from subprocess import run',
        'import os\nos.system("true")',
        'eval("1")',
        'import multiprocessing.pool',
        # And what had got past this test.
        'import os as o\no.system("true")',
        'from os import system as s\ns("true")',
        'from os import *',
        'import os\nrun = os.system\nrun("true")',
        'import os\ngetattr(os, "system")("true")',
        'import os\nshell = os\nshell.popen("true")',
        'import importlib\nimportlib.import_module("subprocess")',
        'import importlib as i\ni.import_module("subprocess")',
        'from importlib import import_module as m\nm("subprocess")',
        'import builtins\nbuiltins.exec("1")',
        '__import__("os")',
        'e = eval\ne("1")',
        'def f():\n    o.execv("a", [])\nimport os as o',
    )
    def test_such_code_is_found(self, text):
        self.assertTrue(forbidden(text))

    @ddt.data(
        'import importlib\nimportlib.import_module(name)',
        'from importlib import import_module as m\nm(x.y)',
    )
    def test_an_import_by_name_is_found(self, text):
        self.assertTrue(uses(text).by_name)

    @ddt.data(
        'import os\nos.open("x", 0)',
        'self.system("x")',
        'import contextlib\ncontextlib.suppress(OSError)',
    )
    def test_other_code_is_fine(self, text):
        self.assertEqual(set(), forbidden(text))

    def test_no_word_of_sudo(self):
        found = [
            name
            for name, path in SOURCES.items()
            if 'sudo' in path.read_text() or 'shell=True' in path.read_text()
        ]
        self.assertEqual([], found)
