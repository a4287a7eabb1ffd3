# SPDX-License-Identifier: Apache-2.0

"""A site's own hooks: loaded, run in their order, and their mistakes."""

import pathlib
import sys

import fixtures

from nova_hyperv_enlight import exception
from tests.fixtures import site as site_fixture
from tests.functional import base
from tests.functional import guest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PACKAGE = pathlib.Path(__file__).parent / 'thirdparty'
NOTE = './metadata/{https://site.example/hyperv}decision'
WINDOWS = {'os_type': 'windows'}


class Installed(fixtures.Fixture):
    """Install the site's package, as ``pip install -e`` would.

    That writes the entry points of pyproject.toml into a directory on
    sys.path, beside the way to the code.
    """

    def _setUp(self):
        site = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        project = tomllib.loads(
            (PACKAGE / 'pyproject.toml').read_text(encoding='utf-8')
        )['project']
        lines = []
        for group, points in project['entry-points'].items():
            lines.append(f'[{group}]')
            lines += [f'{name} = {value}' for name, value in points.items()]
        info = site / 'site_hooks-1.0.dist-info'
        info.mkdir()
        (info / 'entry_points.txt').write_text('\n'.join(lines))
        (info / 'METADATA').write_text(
            'Metadata-Version: 2.1\nName: site-hooks\nVersion: 1.0\n'
        )
        self.useFixture(site_fixture.OnPath('site_hooks', site, PACKAGE))


class ThirdPartyHookTestCase(guest.PluginTestCase):
    def setUp(self):
        super().setUp()
        self.useFixture(Installed())

    def start(self, *hooks):
        self.plugin_flags(hooks=hooks)
        self.start_host(base.hyperv_document('relaxed', 'vapic'))

    def test_runs_beside_ours(self):
        self.start('hyperv', 'site_note', 'hypervclock')

        windows, linux = self.boot(WINDOWS), self.boot({'os_type': 'linux'})

        note = self.domain_xml(windows).find(NOTE)
        self.assertEqual('baseline', note.get('profile'))
        self.assertEqual('relaxed vapic hypervclock', note.text)
        self.assertSwitchedOn(note.text.split(), windows)
        self.assertStockXML(linux)

    def test_a_mistake_fails_one_build(self):
        self.start('hyperv', 'hypervclock', 'site_failing', 'site_note')

        fault = self.boot_error(WINDOWS)

        self.assertIn('The guest config hook site_failing failed.', fault)
        # The class of CVE-2019-14433.
        self.assertNotIn('token', fault)
        self.assertIn('token=s3cret', self.stdlog.logger.output)
        self.assertStockXML(self.boot({'os_type': 'linux'}))


class HookConfigurationTestCase(guest.GuestTestCase):
    def setUp(self):
        super().setUp()
        self.useFixture(Installed())
        self.start_host(base.hyperv_document('relaxed', 'vapic'))

    def test_the_order_is_the_operators(self):
        self.plugin_flags(hooks=['site_note', 'site_failing', 'hyperv'])

        self.assertEqual(
            ['site_note', 'site_failing', 'hyperv'],
            self.driver()._enlightener.load()[1].names,
        )

    def test_only_a_configured_hook_is_loaded(self):
        self.plugin_flags(hooks=['hyperv', 'hypervclock'])

        self.domain(WINDOWS)

        self.assertNotIn('site_hooks', sys.modules)

    def test_without_ours_nova_writes(self):
        self.plugin_flags(hooks=['site_note'])

        domain = self.domain(WINDOWS)

        self.assertIsNotNone(domain.find(NOTE))
        self.assertIn('synic', guest.switched_on(domain))

    def test_a_hook_that_is_gone(self):
        self.plugin_flags(hooks=['hyperv', 'site_gone'])

        error = self.assertRaises(
            exception.HookLoadError, self.driver().init_host, 'host'
        )

        self.assertIn('hooks: site_gone cannot be loaded', str(error))
        self.assertIn('site_note', str(error))
