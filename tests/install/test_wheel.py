# SPDX-License-Identifier: Apache-2.0

"""What is in the wheel, and that it runs without Nova and libvirt."""

import email
import json
import pathlib
import zipfile

import testtools

from tests.install import environment

DOCUMENT = (
    environment.TOP / 'tests/data/domaincaps/amd-libvirt9.0-qemu7.2-lab-pc.xml'
)
METADEFS = environment.TOP / 'etc/nova_hyperv_enlight/metadefs'


class ContentsTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.wheel = zipfile.ZipFile(environment.wheel())
        self.addCleanup(self.wheel.close)
        self.info = f'nova_hyperv_enlight-{environment.VERSION}.dist-info'

    def test_every_module_and_nothing_else(self):
        package = environment.TOP / 'nova_hyperv_enlight'
        expected = {
            str(path.relative_to(environment.TOP))
            for path in package.rglob('*')
            if path.is_file() and '__pycache__' not in path.parts
        }
        shared = (
            f'nova_hyperv_enlight-{environment.VERSION}.data/data/share/'
            'nova-hyperv-enlight/metadefs'
        )
        expected |= {
            f'{shared}/{path.name}' for path in METADEFS.glob('*.json')
        }

        found = {
            name
            for name in self.wheel.namelist()
            if not name.startswith(self.info)
        }

        self.assertIn('nova_hyperv_enlight/py.typed', found)
        self.assertIn(f'{shared}/hyperv-enlightenments-image.json', found)
        self.assertEqual(expected, found)

    def test_licence(self):
        self.assertIn(f'{self.info}/licenses/LICENSE', self.wheel.namelist())

    def test_dependencies(self):
        metadata = email.message_from_bytes(
            self.wheel.read(f'{self.info}/METADATA')
        )
        names = [
            requirement
            for requirement in metadata.get_all('Requires-Dist')
            if 'extra ==' not in requirement
        ]

        self.assertNotEqual([], names)
        self.assertEqual(
            [], [name for name in names if name.startswith(('nova', 'libv'))]
        )
        self.assertEqual(
            {'cloud', 'libvirt', 'nova'},
            set(metadata.get_all('Provides-Extra')),
        )


class CoreTestCase(testtools.TestCase):
    """Installed by pip from the wheel, with what that asks for."""

    def setUp(self):
        super().setUp()
        self.environment = self.useFixture(environment.Environment())
        self.environment.pip(
            '--constraint',
            environment.TOP / 'constraints.txt',
            environment.wheel(),
        )
        self.program = self.environment.path / 'bin' / 'nova-hyperv-enlight'

    def run_program(self, *arguments):
        return environment.run(self.program, *arguments)

    def test_the_program_runs(self):
        # One environment for all of this: pip takes a while to make it.
        missing = self.environment.print(
            "[m for m in ('nova', 'libvirt', 'os_vif') "
            'if not importlib.util.find_spec(m)]',
            'importlib.util',
        )
        self.assertEqual(['nova', 'libvirt', 'os_vif'], missing)
        package = self.environment.print(
            'nova_hyperv_enlight.__file__', 'nova_hyperv_enlight'
        )
        self.assertTrue(
            pathlib.Path(package).is_relative_to(self.environment.site)
        )

        self.assertEqual(
            f'nova-hyperv-enlight {environment.VERSION}\n',
            self.run_program('--version'),
        )
        help_text = self.run_program('--help')
        for command in ('explain', 'host show', 'profile list'):
            self.assertIn(f'\n  {command} ', help_text)
        self.assertIn('baseline', self.run_program('profile', 'list'))
        rows = json.loads(
            self.run_program('explain', '--domcaps', DOCUMENT, '-f', 'json')
        )
        self.assertIn(
            'stimer', [row['name'] for row in rows if row['state'] == 'on']
        )
