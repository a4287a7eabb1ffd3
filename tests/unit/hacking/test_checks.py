# SPDX-License-Identifier: Apache-2.0

import ast
import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap

import ddt
import fixtures
import testtools

TOP = pathlib.Path(__file__).parents[3]


def load_checks():
    # The directory cannot be a package: flake8's own 'hacking' is one.
    spec = importlib.util.spec_from_file_location(
        'checks', TOP / 'hacking' / 'checks.py'
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


checks = load_checks()


def find(code, filename):
    """Return the code of each finding, in the order of the lines."""
    tree = ast.parse(textwrap.dedent(code))
    plugin = checks.Rooms(tree, f'nova_hyperv_enlight/{filename}')
    return [
        finding[2].partition(':')[0]
        for finding in sorted(plugin.run(), key=lambda finding: finding[:2])
    ]


# What each row of the table forbids, by an example.
WRONG = (
    ('EN301', 'catalogue/a.py', 'from nova_hyperv_enlight import host'),
    ('EN301', 'host/a.py', 'from nova_hyperv_enlight.policy import resolve'),
    ('EN301', 'policy/a.py', 'import nova_hyperv_enlight.domxml.clock'),
    ('EN301', 'domxml/a.py', 'from nova_hyperv_enlight.hooks import base'),
    ('EN301', 'domxml/a.py', 'from nova_hyperv_enlight import policy'),
    ('EN301', 'editor/a.py', 'from nova_hyperv_enlight import policy'),
    ('EN301', 'domains/a.py', 'from nova_hyperv_enlight import fleet'),
    ('EN301', 'fleet/a.py', 'from nova_hyperv_enlight import domains'),
    ('EN301', 'notation/a.py', 'from nova_hyperv_enlight.conf import opts'),
    ('EN303', 'virt/a.py', 'from nova_hyperv_enlight import guest'),
    ('EN301', 'hooks/a.py', 'from nova_hyperv_enlight.virt import driver'),
    ('EN303', 'virt/a.py', 'from nova_hyperv_enlight import guest'),
    ('EN301', 'hooks/a.py', 'from nova_hyperv_enlight import conf'),
    ('EN301', 'guest/a.py', 'from nova_hyperv_enlight.fleet import audit'),
    ('EN301', 'fleet/a.py', 'from nova_hyperv_enlight.guest import cpuid'),
    ('EN301', 'virt/a.py', 'from nova_hyperv_enlight.cmd import main'),
    ('EN301', 'cmd/a.py', 'from nova_hyperv_enlight.virt import driver'),
    ('EN301', 'conf/a.py', 'from nova_hyperv_enlight.virt import driver'),
    ('EN301', 'extra_specs.py', 'from nova_hyperv_enlight import host'),
    ('EN301', 'exception.py', 'from nova_hyperv_enlight import catalogue'),
    # A wall holds inside functions too.
    (
        'EN301',
        'host/a.py',
        """
        def f():
            from nova_hyperv_enlight.policy import resolve
        """,
    ),
    ('EN302', 'catalogue/a.py', 'from lxml import etree'),
    ('EN302', 'catalogue/a.py', 'from oslo_utils import strutils'),
    ('EN302', 'host/a.py', 'import libvirt'),
    ('EN302', 'host/a.py', 'from oslo_config import cfg'),
    ('EN302', 'policy/a.py', 'from nova import objects'),
    ('EN302', 'policy/a.py', 'from lxml import etree'),
    ('EN302', 'domxml/a.py', 'from nova.virt.libvirt import config'),
    ('EN302', 'notation/a.py', 'import libvirt'),
    ('EN302', 'hooks/a.py', 'from nova.virt.libvirt import driver'),
    ('EN302', 'hooks/a.py', 'import nova.conf'),
    ('EN302', 'hooks/a.py', 'from oslo_config import cfg'),
    ('EN302', 'guest/a.py', 'import libvirt'),
    ('EN302', 'fleet/a.py', 'import libvirt'),
    ('EN302', 'virt/a.py', 'import libvirt'),
    (
        'EN302',
        'virt/a.py',
        'import importlib\nimportlib.import_module("libvirt")',
    ),
    ('EN302', 'cmd/a.py', 'from lxml import etree'),
    ('EN302', 'extra_specs.py', 'import libvirt'),
    ('EN302', 'extra_specs.py', 'from nova.virt.libvirt import config'),
    ('EN302', 'exception.py', 'from nova import exception'),
    ('EN303', 'cmd/a.py', 'import libvirt'),
    ('EN303', 'cmd/a.py', 'from nova import objects'),
    (
        'EN303',
        'cmd/a.py',
        """
        try:
            import libvirt
        except ImportError:
            libvirt = None
        """,
    ),
    ('EN304', 'catalogue/a.py', 'import os'),
    ('EN304', 'policy/a.py', 'import logging'),
    ('EN304', 'policy/a.py', 'from oslo_log import log'),
    ('EN304', 'policy/a.py', 'import random'),
    ('EN304', 'policy/a.py', 'import time'),
    ('EN304', 'policy/a.py', 'import os.path'),
    ('EN304', 'domxml/a.py', 'from urllib import request'),
    ('EN304', 'domxml/a.py', 'text = open("/etc/hostname").read()'),
    ('EN304', 'notation/a.py', 'import sys'),
    ('EN304', 'host/domaincaps.py', 'import os'),
    ('EN304', 'exception.py', 'import logging'),
    ('EN305', 'virt/a.py', 'OPTS = [cfg.BoolOpt("enabled")]'),
    ('EN305', 'hooks/a.py', 'GROUP = cfg.OptGroup("hyperv_enlight")'),
    ('EN305', 'virt/a.py', 'CONF.register_opts(OPTS)'),
    ('EN305', 'virt/a.py', 'cfg.CONF.register_opt(OPT)'),
    ('EN306', 'host/a.py', 'print("seen")'),
    ('EN306', 'virt/a.py', 'import sys\nsys.stdout.write("seen")'),
    ('EN306', 'virt/a.py', 'import sys\nprint_to(sys.stderr)'),
    ('EN307', 'domxml/a.py', 'xpath(element, "//enum")'),
    ('EN307', 'host/a.py', 'xpath(element, f"//enum[@name={name}]")'),
    ('EN308', 'utils/a.py', ''),
    ('EN308', 'constants.py', 'X = 1'),
)

RIGHT = (
    ('catalogue/a.py', 'import dataclasses\nimport enum'),
    ('catalogue/a.py', 'from nova_hyperv_enlight.catalogue import model'),
    ('catalogue/a.py', 'from nova_hyperv_enlight import exception'),
    ('host/a.py', 'from nova_hyperv_enlight.catalogue import model'),
    ('host/a.py', 'from lxml import etree'),
    ('host/kvm.py', 'import fcntl\nimport os\nopen("/dev/kvm")'),
    ('host/probe.py', 'from oslo_log import log as logging'),
    ('policy/a.py', 'from nova_hyperv_enlight.host import capabilities'),
    ('domains/a.py', 'from nova_hyperv_enlight.editor import edit'),
    ('domxml/a.py', 'element.xpath("./enum[@name=\'bus\']")'),
    ('notation/a.py', 'import shlex\nimport yaml\nfrom lxml import etree'),
    ('notation/a.py', 'from nova_hyperv_enlight.domxml import hyperv'),
    ('hooks/a.py', 'from nova.virt.libvirt import config as vconfig'),
    ('hooks/a.py', 'from nova_hyperv_enlight.domxml import hyperv'),
    ('hooks/a.py', 'import stevedore'),
    ('guest/a.py', 'from nova_hyperv_enlight.domxml import hyperv'),
    ('fleet/a.py', 'import os'),
    ('virt/a.py', 'import nova.conf\nfrom nova import exception'),
    ('virt/a.py', 'from nova_hyperv_enlight.hooks import manager'),
    ('virt/a.py', 'enlight_conf.register_opts(CONF)'),
    ('virt/a.py', 'url = "https://docs.openstack.org"'),
    ('virt/a.py', 'path = f"{uri}//{name}"'),
    ('cmd/a.py', 'print("found")\nimport sys\nsys.stdout.flush()'),
    ('cmd/a.py', 'from nova_hyperv_enlight.fleet import audit'),
    (
        'cmd/a.py',
        """
        import typing
        if typing.TYPE_CHECKING:
            import libvirt
        def connect():
            import libvirt
        async def later():
            from nova import objects
        """,
    ),
    ('conf/a.py', 'OPTS = [cfg.BoolOpt("enabled")]\nCONF.register_opts(OPTS)'),
    ('extra_specs.py', 'from nova.api.validation.extra_specs import base'),
    ('extra_specs.py', 'from nova_hyperv_enlight.catalogue import profiles'),
    ('__init__.py', 'import nova'),
)


@ddt.ddt
class TestRooms(testtools.TestCase):
    @ddt.idata(WRONG)
    @ddt.unpack
    def test_wrong(self, expected, filename, code):
        self.assertEqual([expected], find(code, filename))

    @ddt.idata(RIGHT)
    @ddt.unpack
    def test_right(self, filename, code):
        self.assertEqual([], find(code, filename))

    def test_each_finding_has_its_place(self):
        tree = ast.parse('import enum\n\nif enum:\n    import nova\n')
        plugin = checks.Rooms(tree, 'nova_hyperv_enlight/policy/a.py')
        ((line, column, message, _),) = plugin.run()
        self.assertEqual((4, 4), (line, column))
        self.assertEqual('EN302: policy must not import nova', message)

    def test_other_files_are_not_looked_at(self):
        tree = ast.parse('import nova\nprint("//")')
        for name in ('tests/unit/policy/a.py', 'policy/a.py', '-'):
            self.assertEqual([], list(checks.Rooms(tree, name).run()))

    def test_the_innermost_package_counts(self):
        name = '/src/nova_hyperv_enlight/nova_hyperv_enlight/policy/a.py'
        self.assertEqual(('policy', 'a'), checks.where(name))

    def test_every_code_is_described_and_tried(self):
        tried = {expected for expected, _, _ in WRONG}
        described = {
            line[2:7]
            for line in checks.__doc__.splitlines()
            if line.startswith('* EN')
        }
        self.assertEqual(described, tried)


class TestTable(testtools.TestCase):
    def test_every_room_of_the_package_is_known(self):
        package = TOP / 'nova_hyperv_enlight'
        rooms = {path.parent.name for path in package.glob('*/__init__.py')}
        modules = {path.stem for path in package.glob('*.py')} - {'__init__'}
        self.assertEqual(set(), (rooms | modules) - set(checks.ROOMS))

    def test_imports_go_one_way(self):
        for name, room in checks.ROOMS.items():
            for other in room.rooms:
                self.assertNotIn(name, checks.ROOMS[other].rooms)

    def test_nova_and_libvirt_stay_in_their_rooms(self):
        named = {
            package: {
                name
                for name, room in checks.ROOMS.items()
                if any(
                    entry.partition('.')[0] == package
                    for entry in room.packages | room.lazy
                )
            }
            for package in ('nova', 'libvirt', 'oslo_config')
        }
        self.assertEqual(
            {'virt', 'hooks', 'extra_specs', 'cmd'}, named['nova']
        )
        self.assertEqual({'cmd'}, named['libvirt'])
        self.assertEqual({'conf', 'cmd', 'virt'}, named['oslo_config'])


class TestReach(testtools.TestCase):
    """What a module brings in through all the others that it imports."""

    def _imports(self, module):
        """Return what a module imports when it is imported itself."""
        path = TOP.joinpath(*module.split('.'))
        init = path / '__init__.py'
        path = init if init.exists() else path.with_suffix('.py')
        seen = checks.Visitor()
        seen.visit(ast.parse(path.read_text()))
        return {
            '.'.join(found.names) for found in seen.imports if not found.lazy
        }

    def _reach(self, module):
        """Return every third-party package that comes with a module."""
        found, left, known = set(), [module], set()
        while left:
            module = left.pop()
            if module in known:
                continue
            known.add(module)
            for name in self._imports(module):
                if name.startswith(checks.PACKAGE):
                    left.append(name)
                else:
                    found.add(name.partition('.')[0])
        return found - set(sys.stdlib_module_names)

    def _modules(self, room):
        for path in (TOP / checks.PACKAGE / room).glob('*.py'):
            yield f'{checks.PACKAGE}.{room}.{path.stem}'.removesuffix(
                '.__init__'
            )

    def test_nova_api_needs_no_libvirt_and_no_lxml(self):
        found = self._reach(f'{checks.PACKAGE}.extra_specs')
        # All of them come with Nova itself.
        self.assertEqual({'nova', 'oslo_config', 'oslo_log', 'yaml'}, found)

    def test_the_core_needs_neither_nova_nor_libvirt(self):
        for room in ('catalogue', 'host', 'policy', 'domxml', 'conf', 'cmd'):
            for module in self._modules(room):
                found = self._reach(module)
                self.assertEqual(set(), found & {'nova', 'libvirt', 'os_vif'})

    def test_the_bootstrap_is_light(self):
        # nova-compute imports it on hosts that do not even use the driver.
        found = self._reach(f'{checks.PACKAGE}.virt.bootstrap')
        self.assertEqual({'os_vif'}, found)


class TestFlake8(testtools.TestCase):
    """A plugin that is not loaded would find nothing, silently."""

    def _run(self, code):
        tree = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        shutil.copy(TOP / 'tox.ini', tree)
        shutil.copytree(TOP / 'hacking', tree / 'hacking')
        room = tree / 'nova_hyperv_enlight' / 'policy'
        room.mkdir(parents=True)
        (room / 'a.py').write_text(code)
        command = [sys.executable, '-m', 'flake8', '--no-show-source']
        run = subprocess.run(
            command, cwd=tree, capture_output=True, text=True, timeout=50
        )
        self.assertEqual('', run.stderr)
        found = re.findall('(?:EN|H)[0-9]{3}', run.stdout)
        return sorted(found), run.returncode

    def test_wrong(self):
        # H201 is hacking's own.
        code = 'import nova\n\ntry:\n    print(nova)\nexcept:\n    raise\n'
        found, status = self._run(code)
        self.assertEqual(['EN302', 'EN306', 'H201'], found)
        self.assertEqual(1, status)

    def test_right(self):
        self.assertEqual(([], 0), self._run('import enum\n\nenum.Enum\n'))
