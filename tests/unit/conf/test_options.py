# SPDX-License-Identifier: Apache-2.0

import pathlib

import ddt
from oslo_config import cfg
from oslo_config import generator

from nova_hyperv_enlight.conf import hyperv_enlight
from nova_hyperv_enlight.conf import opts
from tests.unit import base

TOP = pathlib.Path(__file__).parents[3]

# The public contract: an operator's nova.conf holds these names.
DEFAULTS = {
    'enabled': True,
    'mode': 'enforce',
    'profile': 'baseline',
    'profiles_file': None,
    'force_on': [],
    'force_off': [],
    'image_overridable': [
        'relaxed',
        'vapic',
        'spinlocks',
        'vpindex',
        'runtime',
        'synic',
        'stimer',
        'reset',
        'frequencies',
        'tlbflush',
        'ipi',
        'avic',
        'xmm_input',
        'stimer.direct',
        'tlbflush.extended',
        'hypervclock',
    ],
    'spinlock_retries': '8191',
    'vendor_id': '1234567890ab',
    'recorded_set': 'keep',
    'on_host_change': 'degrade',
    'report_traits': True,
    'verify_host': False,
    'pit_tickpolicy': 'discard',
    'hooks': ['hyperv', 'hypervclock', 'pit'],
}
NAMES = [opt.name for opt in hyperv_enlight.ALL_OPTS]


def paragraphs(text):
    return [' '.join(part.split()) for part in text.strip().split('\n\n')]


@ddt.ddt
class OptionsTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.conf = cfg.ConfigOpts()
        hyperv_enlight.register_opts(self.conf)
        self.conf([], default_config_files=[], default_config_dirs=[])

    def test_names(self):
        self.assertEqual(list(DEFAULTS), NAMES)

    @ddt.data(*DEFAULTS)
    def test_default(self, name):
        self.assertEqual(DEFAULTS[name], self.conf.hyperv_enlight[name])

    @ddt.data(*hyperv_enlight.ALL_OPTS)
    def test_help_begins_with_one_sentence(self, opt):
        first, *others = paragraphs(opt.help)

        self.assertRegex(first, r'^[A-Z][^.]*\.$')
        self.assertNotEqual([], others)

    @ddt.data(*hyperv_enlight.ALL_OPTS)
    def test_help_fits_the_terminal(self, opt):
        # Lists of names are one line; they wrap in the sample.
        prose = [
            line
            for line in opt.help.splitlines()
            if not line.startswith(('Possible values: ', '* one of '))
        ]

        self.assertLess(max(len(line) for line in prose), 80)

    @ddt.data(
        ('mode', ['enforce', 'shadow']),
        ('recorded_set', ['keep', 'refresh']),
        ('on_host_change', ['degrade', 'fail']),
    )
    @ddt.unpack
    def test_choices_are_described(self, name, expected):
        option = next(o for o in hyperv_enlight.ALL_OPTS if o.name == name)

        described = dict(option.type.choices)
        self.assertEqual(expected, list(described))
        self.assertNotIn(None, described.values())

    @ddt.data(
        ('spinlock_retries', 'auto'),
        ('spinlock_retries', '4096'),
        ('vendor_id', 'KVMKVMKVM'),
    )
    @ddt.unpack
    def test_values_of_enlightenments(self, name, value):
        path = self.make_dir() / 'nova.conf'
        path.write_text(
            f'[hyperv_enlight]\n{name} = {value}\n', encoding='utf-8'
        )

        self.conf([], default_config_files=[str(path)])

        self.assertEqual(value, self.conf.hyperv_enlight[name])

    def test_group_says_when_changes_take_effect(self):
        self.assertIn(
            'Changes take effect when nova-compute restarts',
            ' '.join(hyperv_enlight.group().help.split()),
        )

    def test_registering_twice_is_harmless(self):
        hyperv_enlight.register_opts(self.conf)

        self.assertEqual('baseline', self.conf.hyperv_enlight.profile)

    def test_a_value_is_not_shared(self):
        other = cfg.ConfigOpts()
        hyperv_enlight.register_opts(other)

        self.conf.set_override('profile', 'none', group='hyperv_enlight')

        self.assertEqual('baseline', other.hyperv_enlight.profile)

    def test_list_opts(self):
        ((group, options),) = opts.list_opts()

        self.assertEqual('hyperv_enlight', group.name)
        self.assertEqual(NAMES, [option.name for option in options])


class GeneratorTestCase(base.TestCase):
    """oslo-config-generator with the configuration of ``tox -e genconfig``."""

    CONFIG = TOP / 'etc/nova_hyperv_enlight/config-generator.conf'

    def sample(self):
        """Write the sample to another place and return its lines."""
        written = self.make_dir() / 'sample'
        generator.main(
            ['--config-file', str(self.CONFIG), '--output-file', str(written)]
        )
        return written.read_text(encoding='utf-8').splitlines()

    def test_sample_holds_every_option(self):
        sample = self.sample()

        found = [
            name
            for name in NAMES
            if any(line.startswith(f'#{name} =') for line in sample)
        ]
        self.assertEqual(NAMES, found)

    def test_sample_holds_one_group(self):
        sample = self.sample()

        self.assertEqual(
            ['[DEFAULT]', '[hyperv_enlight]'],
            [line for line in sample if line.startswith('[')],
        )
