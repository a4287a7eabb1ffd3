# SPDX-License-Identifier: Apache-2.0

"""An enlightenment is added in one place, as the documentation says."""

import json
import pathlib
import shlex
import shutil
import sys

import fixtures
import testtools

from tests.functional.docs import blocks
from tests.functional.docs import stage
from tests.unit.cmd import base

PAGE = 'doc/source/contributor/enlightenment.rst'
CATALOGUE = 'nova_hyperv_enlight/catalogue/enlightenments.py'
NAMES = """
import json
from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight import extra_specs
from nova_hyperv_enlight.policy import record
kept = record.Record(
    profile='baseline',
    selection=selections.Selection(features=frozenset(('quiet',))),
)
print(json.dumps({
    'specs': [each.name for each in extra_specs.register()],
    'trait': enlightenments.ENLIGHTENMENTS['quiet'].trait,
    'recorded': sorted(record.decode(record.encode(kept)).selection.features),
}))
"""


def extended(directory):
    """Make a copy of the package with the page's entry in it."""
    (block,) = blocks.of(PAGE)
    tests = directory / 'tests'
    tests.symlink_to(blocks.TOP / 'tests')
    shutil.copytree(
        blocks.TOP / 'nova_hyperv_enlight',
        directory / 'nova_hyperv_enlight',
        ignore=shutil.ignore_patterns('__pycache__'),
    )
    path = directory / CATALOGUE
    before, end, after = path.read_text().partition('\n)\n\n#: Every ')
    entry = '\n'.join(f'    {line}' for line in block.text.splitlines())
    path.write_text(f'{before}\n{entry}{end}{after}')
    return directory


class OnePlaceTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        top = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.stage = self.useFixture(stage.Stage(('web1',), extended(top)))
        for name, names, release in (
            ('new', (*base.NAMES, 'quiet'), '12.0'),
            ('old', base.NAMES, '12.0'),
        ):
            document = base.document(names=names, release=release)
            self.stage.write(f'{name}.xml', document)

    def run_program(self, arguments, code=0):
        done = self.stage.run(f'nova-hyperv-enlight {arguments}')
        self.assertEqual(code, done.code, done.out + done.err)
        return done

    def rows(self, arguments, code=0):
        done = self.run_program(f'{arguments} -f json', code)
        return {row['name']: row for row in json.loads(done.out)}

    def test_names(self):
        done = self.stage.run(shlex.join([sys.executable, '-c', NAMES]))

        self.assertEqual(0, done.code, done.err)
        found = json.loads(done.out)
        self.assertIn('hyperv_enlight:quiet', found['specs'])
        self.assertEqual('CUSTOM_HYPERV_QUIET', found['trait'])
        self.assertEqual(['quiet'], found['recorded'])

    def test_decided(self):
        for asked in (
            '--spec hyperv_enlight:quiet=on',
            '--option force_on=quiet',
            '--image hyperv_enlight_quiet=on --option image_overridable=quiet,'
            'synic,vpindex --option profile=none',
        ):
            rows = self.rows(f'explain --domcaps new.xml {asked}')
            for name in ('quiet', 'synic', 'vpindex'):
                self.assertEqual('on', rows[name]['state'], asked)

        refused = self.run_program(
            'explain --domcaps new.xml --spec hyperv_enlight:quiet=on '
            '--spec hyperv_enlight:synic=off',
            2,
        )
        self.assertIn("'quiet'", refused.err)

    def test_not_offered(self):
        refused = self.run_program(
            'explain --domcaps old.xml --spec hyperv_enlight:quiet=on', 2
        )

        self.assertIn("'quiet'", refused.err)
        self.assertIn('libvirt does not list it', refused.err)
        rows = self.rows('host show --domcaps old.xml')
        self.assertEqual('no', rows['quiet']['offered'])

    def test_needs_releases(self):
        rows = self.rows(
            'host show --domcaps new.xml --libvirt-version 12.9 '
            '--qemu-version 12.0'
        )

        self.assertIn('13.1.0', rows['quiet']['evidence'])

    def test_written(self):
        done = self.run_program(
            'domain apply ./win11.xml --on quiet --print-xml'
        )

        self.assertIn('<quiet state=', done.out)

    def test_converted(self):
        self.assertEqual(
            'hv-quiet', self.run_program('convert --to qemu quiet').out.strip()
        )
        self.assertIn(
            '<quiet state="on"/>',
            self.run_program('convert --to libvirt hv-quiet=on').out,
        )

    def test_shown(self):
        rows = self.rows('guest verify --profile none --on quiet')

        self.assertEqual(
            {
                'name': 'quiet',
                'asked': 'yes',
                'shown': 'yes',
                'leaf': '0x40000004 EAX 0x8000000',
            },
            rows['quiet'],
        )

    def test_missed(self):
        rows = self.rows(
            'domain audit --long --domcaps new.xml --option force_on=quiet', 3
        )

        self.assertEqual(
            "'quiet' is missing: it is noisy.", rows['quiet']['text']
        )
