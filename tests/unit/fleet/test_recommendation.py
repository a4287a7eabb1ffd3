# SPDX-License-Identifier: Apache-2.0

import functools
import shlex

import ddt
from oslo_config import cfg

from nova_hyperv_enlight.conf import hyperv_enlight
from nova_hyperv_enlight.conf import reader
from nova_hyperv_enlight.fleet import baseline
from nova_hyperv_enlight.fleet import check
from nova_hyperv_enlight.fleet import recommendation
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit import base
from tests.unit.fleet import hosts
from tests.unit.fleet import test_baseline
from tests.unit.policy import cases
from tests.unit.policy import strategies

AMD, INTEL = cases.AMD, cases.INTEL


class PlanTestCase(base.TestCase):
    """What is printed is read as nova-compute and Nova's API would."""

    def setUp(self):
        super().setUp()
        # Fleets are many, and the lines that they end in few.
        self.read_options = functools.cache(
            lambda *lines: self._read_options(lines)
        )

    def _read_options(self, lines):
        """Return the settings that lines of nova.conf make."""
        directory = self.make_dir()
        path = directory / 'nova.conf'
        path.write_text('\n'.join(lines), encoding='utf-8')
        conf = cfg.ConfigOpts()
        hyperv_enlight.register_opts(conf)
        conf([], default_config_files=[str(path)], default_config_dirs=[])
        return reader.read(conf)

    def read_command(self, command):
        """Return the extra specs that a command sets."""
        words = shlex.split(command)
        self.assertEqual(['openstack', 'flavor', 'set'], words[:3])
        self.assertEqual('FLAVOR', words[-1])
        self.assertEqual({'--property'}, set(words[3:-1:2]))
        return dict(word.split('=') for word in words[4:-1:2])

    def names(self, host, conf=None, specs=None):
        """Return what a Windows guest gets on a host."""
        return resolve.resolve(
            conf or settings.Settings(),
            request.from_properties(
                os_type='windows', extra_specs=specs or {}, image_properties={}
            ),
            host.capabilities,
        ).selection.features


@ddt.ddt
class ChooseTestCase(PlanTestCase):
    @ddt.unpack
    @ddt.data(
        ((), 'none', ()),
        (cases.ALL, 'performance', ()),
        (cases.BASELINE, 'baseline', ()),
        (cases.MINIMAL, 'minimal', ()),
        (cases.MINIMAL | {'vpindex', 'reset'}, 'baseline', None),
        (cases.NESTED - {'avic'}, 'performance', ('avic',)),
        (cases.BASELINE - {'ipi'}, 'baseline', ('ipi',)),
        ({'relaxed', 'evmcs'}, 'minimal', None),
    )
    def test_choose(self, names, profile, off):
        chosen = recommendation.choose(frozenset(names))

        self.assertEqual(profile, chosen.profile.name)
        if off is not None:
            self.assertEqual(off, chosen.off)
        self.assertLessEqual(chosen.features, frozenset(names))

    def test_extras(self):
        (nested,) = recommendation.extras(cases.NESTED - {'avic', 'evmcs'})

        self.assertEqual('nested', nested.profile.name)
        self.assertEqual(('evmcs', 'avic'), nested.off)
        self.assertEqual([], recommendation.extras(cases.PERFORMANCE))

    def test_options(self):
        chosen = recommendation.choose(cases.BASELINE - {'ipi', 'reset'})

        self.assertEqual(
            [
                '[hyperv_enlight]',
                'profile = baseline',
                'force_off = reset,ipi',
            ],
            chosen.options(),
        )
        self.assertEqual(
            ('reset', 'ipi'), self.read_options(*chosen.options()).force_off
        )

    def test_command(self):
        chosen = recommendation.choose(cases.BASELINE - {'ipi'})

        self.assertEqual(
            {
                'hyperv_enlight:profile': 'baseline',
                'hyperv_enlight:ipi': 'off',
                'trait:CUSTOM_HYPERV_STIMER_DIRECT': 'required',
            },
            self.read_command(chosen.command(frozenset(('stimer.direct',)))),
        )


class LinesTestCase(PlanTestCase):
    def blocks(self, *fleet):
        """Return what is printed: for each comment the lines below it."""
        blocks = {}
        for line in recommendation.lines(baseline.find(fleet)):
            if line.startswith('# '):
                comment = line
                blocks[comment] = []
            elif line:
                blocks[comment].append(line)
        return blocks

    def test_one_kind_of_host(self):
        self.assertEqual(
            {
                '# In nova.conf, for all 2 hosts:': [
                    '[hyperv_enlight]',
                    'profile = baseline',
                ],
                '# The same for one flavor alone:': [
                    'openstack flavor set --property '
                    'hyperv_enlight:profile=baseline FLAVOR'
                ],
            },
            self.blocks(
                hosts.make('a', cases.BASELINE),
                hosts.make('b', cases.BASELINE | {'vendor_id'}),
            ),
        )

    def test_a_host_without_hyperv_takes_nothing_away(self):
        fleet = [hosts.make(f'h{n}', cases.BASELINE) for n in range(9)]
        short = hosts.make('poor', cases.BASELINE - {'ipi', 'synic'})
        blocks = self.blocks(*fleet, short)

        conf = self.read_options(*blocks['# In nova.conf, for 9 hosts of 10:'])
        self.assertEqual('baseline', conf.profile)
        self.assertEqual([], blocks['# Short of it: poor.'])
        (command,) = blocks['# For a flavor whose guests must stay off them:']
        self.assertEqual(
            {
                'hyperv_enlight:profile',
                *(
                    f'trait:CUSTOM_HYPERV_{name}'
                    for name in ('SYNIC', 'STIMER', 'STIMER_DIRECT', 'IPI')
                ),
            },
            set(self.read_command(command)),
        )

    def test_nothing_is_no_profile(self):
        for names in ((), ('vendor_id',)):
            (line,) = recommendation.lines(
                baseline.find([hosts.make('a', names), hosts.make('b', ())])
            )

            self.assertIn('# No profile can be recommended', line)

    def test_one_of_two_has_nothing(self):
        blocks = self.blocks(hosts.make('a', ()), hosts.make('b', cases.ALL))

        (command,) = blocks['# For a flavor whose guests must stay off them:']
        self.assertIn('profile=performance', command)

    def test_one_host(self):
        self.assertIn(
            '# In nova.conf, for the one host:', self.blocks(hosts.make())
        )

    def test_hosts_of_one_vendor_that_have_more(self):
        amd = hosts.make('a', cases.PERFORMANCE, vendor=AMD)
        intel = hosts.make('b', cases.BASELINE, vendor=INTEL)
        blocks = self.blocks(amd, intel)

        conf = self.read_options(
            *blocks['# In nova.conf of the one AMD host, instead of that:']
        )
        (command,) = blocks[
            '# For a flavor whose guests must stay on hosts like these:'
        ]

        self.assertEqual(cases.PERFORMANCE, self.names(amd, conf))
        specs = self.read_command(command)
        self.assertEqual(
            {
                'trait:CUSTOM_HYPERV_AVIC',
                'trait:CUSTOM_HYPERV_TLBFLUSH_EXTENDED',
                'trait:CUSTOM_HYPERV_XMM_INPUT',
            },
            {key for key in specs if key.startswith('trait:')},
        )
        self.assertEqual(cases.PERFORMANCE, self.names(amd, conf, specs))
        self.assertEqual([], blocks['# The same for the one Intel host.'])

    def test_hosts_that_can_nest(self):
        amd = hosts.make('a', cases.PERFORMANCE, vendor=AMD)
        intel = hosts.make('b', cases.NESTED - {'emsr_bitmap'}, vendor=INTEL)
        blocks = self.blocks(amd, intel)

        conf = self.read_options(*blocks['# In nova.conf, for all 2 hosts:'])
        (command,) = blocks[
            '# For a flavor whose guests need profile nested, on the one '
            'Intel host:'
        ]

        specs = self.read_command(command)
        self.assertEqual('required', specs['trait:CUSTOM_HYPERV_EVMCS'])
        self.assertEqual(
            cases.NESTED - {'emsr_bitmap'}, self.names(intel, conf, specs)
        )
        self.assertEqual(cases.PERFORMANCE, self.names(intel, conf))

    def test_the_vendors_that_are_not_known_have_no_lines(self):
        blocks = self.blocks(
            hosts.make('a', cases.BASELINE, vendor=AMD),
            hosts.make('b', cases.PERFORMANCE, vendor=None),
        )

        self.assertEqual(
            [
                '# In nova.conf, for all 2 hosts:',
                '# The same for one flavor alone:',
                '# The same for the one AMD host.',
            ],
            list(blocks),
        )


class PropertiesTestCase(PlanTestCase):
    """With what is printed, any guest moves between any two hosts."""

    def check(self, fleet, conf, specs):
        expected = recommendation.choose(
            baseline.find(fleet).everyone.features
        ).features
        for host in fleet:
            self.assertEqual(expected, self.names(host, conf, specs))
        for source in fleet:
            started = check.of_profile(conf, source)
            for destination in fleet:
                self.assertEqual(
                    [], check.obstacles(started, source, destination)
                )

    @strategies.for_any(test_baseline.FLEETS)
    def test_options(self, fleet):
        chosen = recommendation.choose(baseline.find(fleet).everyone.features)

        self.check(fleet, self.read_options(*chosen.options()), {})

    @strategies.for_any(test_baseline.FLEETS)
    def test_command(self, fleet):
        # Of hosts whose operator has changed nothing.
        chosen = recommendation.choose(baseline.find(fleet).everyone.features)
        specs = self.read_command(chosen.command())

        for host in fleet:
            self.assertEqual(chosen.features, self.names(host, specs=specs))
