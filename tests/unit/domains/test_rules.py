# SPDX-License-Identifier: Apache-2.0

import dataclasses

import ddt
from hypothesis import strategies as st

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domains import findings
from nova_hyperv_enlight.domains import rules
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.policy import settings
from tests.unit import base
from tests.unit.domains import guests
from tests.unit.policy import cases
from tests.unit.policy import strategies

BASELINE = settings.Settings()
PERFORMANCE = settings.Settings(profile='performance')
Selection = selections.Selection
XP = 'http://microsoft.com/win/xp'


def inspect(guest=None, host=cases.HOST, conf=BASELINE, **changes):
    """Return what is found in a guest, as codes and names."""
    found = rules.inspect(guest or guests.make(**changes), conf, host).found
    return [(each.kind.code, each.name) for each in found]


@ddt.ddt
class InspectTestCase(base.TestCase):
    def only(self, host=cases.HOST, conf=BASELINE, **changes):
        """Return the text of the one finding in a guest."""
        (found,) = rules.inspect(guests.make(**changes), conf, host).found
        self.assertEqual('win', found.domain)
        return found.text

    def test_nothing_is_wrong(self):
        self.assertEqual([], inspect())

    @ddt.data('xen', 'hyperv', 'hvf', '')
    def test_a_type_that_is_not_understood(self, virt_type):
        text = self.only(virt_type=virt_type, names=['evmcs'], hpet=True)

        self.assertEqual(
            [('unknown-type', 'type')],
            inspect(virt_type=virt_type, names=['evmcs'], hpet=True),
        )
        self.assertEqual(
            f"The domain 'win' is of type {virt_type!r}: what <hyperv> means "
            'there is not understood, only that of the types kvm, qemu, test '
            'is.',
            text,
        )

    # What has no effect.

    def inhibited(self, vendor=cases.AMD, offered=cases.ALL, **changes):
        """Return whether avic is found to have no effect."""
        changes.setdefault('names', ['synic', 'vpindex', 'avic'])
        host = cases.make_host(offered, vendor=vendor)
        found = inspect(host=host, **changes)
        return ('avic-inhibited', 'avic') in found

    def test_avic_inhibited(self):
        host = cases.make_host(cases.PERFORMANCE, vendor=cases.AMD)
        text = self.only(host=host, names=cases.PERFORMANCE, conf=PERFORMANCE)

        self.assertEqual(
            "'avic' is on, and KVM makes up for lost ticks of the guest's "
            'PIT: it uses no AVIC while it does.',
            text,
        )

    @ddt.data(
        {'vendor': cases.INTEL},
        {'vendor': None},
        {'offered': cases.BASELINE},
        {'names': ['synic', 'vpindex']},
        {'kernel_pit': False},
        {
            'hyperv': Selection(
                features=frozenset(('synic', 'vpindex', 'avic')),
                pit_discards=True,
            )
        },
    )
    def test_avic_not_inhibited(self, changes):
        self.assertTrue(self.inhibited())
        self.assertFalse(self.inhibited(**changes))

    # What the host is like.

    def with_clocksource(self, clocksource, *names):
        host = cases.make_host(names or cases.ALL)
        kernel = kvm.KernelFacts(clocksource=clocksource)
        sources = dataclasses.replace(host.sources, kernel=kernel)
        return dataclasses.replace(host, sources=sources)

    @ddt.data('hpet', 'acpi_pm', 'kvm-clock', 'jiffies')
    def test_clock_exits(self, clocksource):
        host = self.with_clocksource(clocksource, *cases.BASELINE)

        self.assertEqual(
            f"'hypervclock' is on, and the host's clocksource is "
            f'{clocksource}, so each look of Windows at its clock exits.',
            self.only(host=host),
        )
        self.assertIn(('clock-exits', 'hypervclock'), inspect(host=host))

    @ddt.unpack
    @ddt.data(
        ('tsc', cases.BASELINE, ()),
        ('hyperv_clocksource_tsc_page', cases.BASELINE, ()),
        (None, cases.BASELINE, ()),
        ('hpet', cases.BASELINE - {'hypervclock'}, ()),
        ('hpet', cases.BASELINE, ('relaxed',)),
    )
    def test_clock_does_not_exit(self, clocksource, names, offered):
        host = self.with_clocksource(clocksource, *offered)

        self.assertNotIn(
            ('clock-exits', 'hypervclock'), inspect(host=host, names=names)
        )

    # What is missing.

    def test_missing(self):
        self.assertEqual(
            [('missing', 'stimer'), ('missing', 'stimer.direct')],
            inspect(names=cases.BASELINE - {'stimer', 'stimer.direct'}),
        )

    def test_missing_says_what_it_costs(self):
        self.assertEqual(
            "'hypervclock' is missing: an exit to the host whenever Windows "
            'reads the clock.',
            self.only(
                conf=settings.Settings(profile='minimal'),
                names=cases.MINIMAL - {'hypervclock'},
            ),
        )

    def test_everything_is_missing(self):
        self.assertEqual(
            [('missing', n) for n in cases.NAMES if n in cases.BASELINE],
            inspect(names=()),
        )

    def test_missing_is_what_the_profile_has(self):
        conf = settings.Settings(profile='performance')

        self.assertEqual(
            [
                ('missing', 'avic'),
                ('missing', 'xmm_input'),
                ('missing', 'tlbflush.extended'),
            ],
            inspect(conf=conf),
        )

    def test_what_is_more_than_the_profile_is_not_found(self):
        self.assertEqual([], inspect(names=cases.PERFORMANCE))

    @ddt.data(
        cases.make_host(cases.ALL - {'stimer'}),
        cases.make_host(unknown=('stimer',)),
    )
    def test_what_the_host_cannot_deliver_is_not_missing(self, host):
        names = cases.BASELINE - {'stimer', 'stimer.direct'}

        self.assertEqual([], inspect(host=host, names=names))

    def test_what_the_flavor_turns_off_is_not_missing(self):
        nova = domain.Nova(
            image={'os_type': 'windows'},
            extra_specs={'hyperv_enlight:ipi': 'off'},
        )

        self.assertEqual(
            [], inspect(nova=nova, names=cases.BASELINE - {'ipi'})
        )

    def test_what_the_flavor_turns_on_is_missing(self):
        nova = domain.Nova(extra_specs={'hyperv_enlight:avic': 'on'})

        self.assertEqual([('missing', 'avic')], inspect(nova=nova))

    def test_what_an_old_windows_must_not_have_is_not_missing(self):
        self.assertEqual([], inspect(osinfo=XP, names=cases.MINIMAL))

    def test_no_names_are_missing_where_the_guest_has_a_mode(self):
        hyperv = Selection(mode=profiles.Mode.HOST_MODEL)

        self.assertEqual([('missing', 'hypervclock')], inspect(hyperv=hyperv))

    @ddt.data('stock', 'none')
    def test_nothing_is_missing_of_a_profile_without_names(self, profile):
        conf = settings.Settings(profile=profile)

        self.assertEqual([], inspect(conf=conf, names=()))

    # What is there and should not be.

    def test_not_delivered(self):
        host = cases.make_host(cases.ALL - {'ipi'})

        self.assertEqual(
            f"'ipi' is on and not delivered: {cases.LACKED}.",
            self.only(host=host),
        )

    def test_what_nobody_knows_is_not_found(self):
        self.assertEqual([], inspect(host=cases.make_host(unknown=('ipi',))))

    def test_nothing_is_delivered(self):
        host = cases.make_host(())

        self.assertEqual(
            [('not-delivered', n) for n in cases.NAMES if n in cases.MINIMAL],
            inspect(host=host, names=cases.MINIMAL),
        )

    @ddt.data('emsr_bitmap', 'tlbflush.direct')
    def test_no_nesting(self, name):
        names = cases.BASELINE | {'evmcs', name}

        self.assertEqual(
            [('no-nesting', n) for n in cases.NAMES if n in ('evmcs', name)],
            inspect(names=names),
        )
        self.assertEqual([], inspect(names=names, nested=True))

    def test_no_nesting_where_it_is_not_delivered_either(self):
        host = cases.make_host(cases.ALL - {'evmcs'})

        self.assertEqual(
            [('not-delivered', 'evmcs')],
            inspect(host=host, names=cases.BASELINE | {'evmcs'}),
        )

    def test_windows_release(self):
        found = inspect(
            osinfo='http://microsoft.com/win/7',
            firmware='uefi',
            names=('relaxed', 'vapic'),
        )

        self.assertEqual(
            [('windows-release', 'relaxed'), ('windows-release', 'vapic')],
            found,
        )

    def test_windows_release_says_why(self):
        self.assertEqual(
            "'ipi' is on: Windows Vista and Server 2008 came before it.",
            self.only(
                osinfo='http://microsoft.com/win/vista',
                names=cases.BASELINE
                - {'relaxed', 'synic', 'stimer', 'stimer.direct'},
            ),
        )

    @ddt.unpack
    @ddt.data(
        (('synic', 'vpindex'), 'synic', "'vpindex', which is off"),
        (('stimer', 'vpindex'), 'stimer', "'synic' and 'hypervclock', which"),
        (('tlbflush', 'ipi'), None, None),
    )
    def test_unmet_dependency(self, without, name, text):
        names = {'synic', 'stimer', 'vpindex', 'hypervclock'} - set(without)
        conf = settings.Settings(profile='none')
        if name is None:
            self.assertEqual([], inspect(conf=conf, names=names))
            return
        names = {name}
        found = rules.inspect(guests.make(names=names), conf, cases.HOST).found

        self.assertEqual(
            [('unmet-dependency', name)],
            [(each.kind.code, each.name) for each in found],
        )
        self.assertIn(text, found[0].text)

    def test_unmet_dependency_of_one_vendor(self):
        names = cases.BASELINE | {'emsr_bitmap'}

        self.assertEqual(
            [('unmet-dependency', 'emsr_bitmap')],
            inspect(names=names, nested=True),
        )
        amd = cases.make_host(cases.ALL - {'evmcs'}, vendor=cases.AMD)
        self.assertEqual([], inspect(host=amd, names=names, nested=True))

    def test_a_mode_may_have_what_is_required(self):
        hyperv = Selection(
            features=frozenset(('stimer', 'hypervclock')),
            mode=profiles.Mode.HOST_MODEL,
        )

        self.assertEqual([], inspect(hyperv=hyperv))

    # What endangers migration.

    def test_tsc_not_pinned(self):
        hyperv = Selection(features=cases.BASELINE | {'reenlightenment'})

        self.assertEqual(
            [('tsc-not-pinned', 'reenlightenment')], inspect(hyperv=hyperv)
        )
        pinned = dataclasses.replace(hyperv, tsc_frequency=2794748000)
        self.assertEqual([], inspect(hyperv=pinned))

    def test_passthrough(self):
        hyperv = Selection(
            features=frozenset(('hypervclock',)),
            mode=profiles.Mode.PASSTHROUGH,
        )

        self.assertEqual(
            "The guest has mode='passthrough': QEMU does not live migrate it.",
            self.only(hyperv=hyperv),
        )

    #: What Nova 26 to 28 gave to Windows, but for what those left out.
    LEFT = cases.BASELINE - {'stimer', 'stimer.direct'} | {'evmcs'}

    def test_evmcs_left(self):
        conf = settings.Settings(profile='minimal')
        nova = domain.Nova(release='27.1.0')

        self.assertEqual(
            "'evmcs' is on as Nova 26 to 28 left it (the metadata are of "
            '27.1.0): the guest can be live migrated only between Intel hosts '
            'with nesting.',
            self.only(conf=conf, nova=nova, names=self.LEFT),
        )

    def test_evmcs_that_was_asked_for_is_not_left(self):
        nova = domain.Nova(
            extra_specs={
                'hyperv_enlight:evmcs': 'on',
                'hyperv_enlight:stimer': 'off',
            }
        )

        self.assertEqual([], inspect(nova=nova, names=self.LEFT, nested=True))

    def test_evmcs_of_this_plugin_is_not_left(self):
        self.assertEqual(
            [],
            inspect(
                nova=domain.Nova(),
                names=cases.BASELINE | {'evmcs'},
                nested=True,
            ),
        )

    def test_evmcs_of_others_is_not_left(self):
        conf = settings.Settings(profile='minimal')

        self.assertEqual([], inspect(conf=conf, names=self.LEFT, nested=True))

    # The clock.

    @ddt.unpack
    @ddt.data(
        ({'hpet': True}, True),
        ({'hpet': True, 'machine': 'microvm'}, True),
        ({'hpet': None}, True),
        ({'hpet': None, 'machine': 'q35'}, True),
        ({'hpet': None, 'machine': None}, True),
        ({'hpet': None, 'machine': 'microvm'}, False),
        ({'hpet': None, 'machine': 'isapc'}, False),
        ({'hpet': None, 'virt_type': 'qemu'}, True),
        ({'hpet': None, 'arch': 'aarch64', 'machine': 'virt'}, False),
        ({'hpet': False}, False),
    )
    def test_hpet(self, changes, expected):
        found = [('hpet', 'hpet')] if expected else []

        self.assertEqual(found, inspect(**changes))

    @ddt.unpack
    @ddt.data(
        ('utc', True),
        (None, True),
        ('localtime', False),
        ('timezone', False),
        ('variable', False),
    )
    def test_clock(self, offset, expected):
        found = [('clock-utc', 'clock')] if expected else []

        self.assertEqual(found, inspect(clock_offset=offset))

    # What Nova knows of it.

    def test_untyped(self):
        nova = domain.Nova(image={'os_distro': 'win10'})

        self.assertEqual(
            'The image has os_distro=win10 and no os_type: Nova does not '
            'treat the guest as Windows.',
            self.only(nova=nova),
        )

    @ddt.data(
        {'os_distro': 'win10', 'os_type': 'windows'},
        {'os_distro': 'windows', 'os_type': 'linux'},
        {},
    )
    def test_not_untyped(self, image):
        self.assertEqual([], inspect(nova=domain.Nova(image=image)))

    @ddt.data('evmcs', 'bogus')
    def test_refused(self, name):
        nova = domain.Nova(extra_specs={f'hyperv_enlight:{name}': 'on'})
        host = cases.make_host(cases.ALL - {'evmcs'})

        text = self.only(host=host, nova=nova, names=cases.BASELINE)

        self.assertIn(name, text)

    def test_what_is_refused_is_inspected_all_the_same(self):
        nova = domain.Nova(extra_specs={'hyperv_enlight:bogus': 'on'})

        self.assertEqual(
            [('refused', ''), ('hpet', 'hpet'), ('clock-utc', 'clock')],
            inspect(nova=nova, hpet=True, clock_offset='utc'),
        )

    def test_the_order_is_that_of_the_kinds(self):
        found = inspect(
            nova=domain.Nova(
                image={'os_distro': 'winxp'},
                extra_specs={'hyperv_enlight:bogus': 'on'},
            ),
            names={'stimer', 'reenlightenment', 'evmcs', 'emsr_bitmap'},
            host=cases.make_host(cases.ALL - {'stimer'}),
            hpet=True,
            clock_offset='utc',
        )

        order = list(findings.KINDS)
        places = [order.index(code) for code, _ in found]
        self.assertEqual(sorted(places), places)
        self.assertEqual(9, len(set(places)))


_NAMES = st.frozensets(st.sampled_from(cases.NAMES))


class PropertiesTestCase(base.TestCase):
    @strategies.for_any(_NAMES, _NAMES, st.booleans())
    def test_what_is_decided_is_found_whole(self, names, offered, nested):
        """With its fixes joined, a guest has all that it should have."""
        host = cases.make_host(offered)
        guest = guests.make(names=names, nested=nested)
        conf = settings.Settings(profile='nested')
        before = rules.inspect(guest, conf, host).found

        fix = findings.join(each.fix for each in before if each.fix)
        mended = guests.make(
            names=(guest.hyperv.features | fix.on) - fix.off, nested=nested
        )
        after = rules.inspect(mended, conf, host).found

        self.assertEqual((), after)

    @strategies.for_any(_NAMES)
    def test_a_name_is_found_once_for_a_reason(self, names):
        found = inspect(names=names)

        self.assertEqual(len(found), len(set(found)))
        for _, name in found:
            self.assertIn(name, enlightenments.ENLIGHTENMENTS)
