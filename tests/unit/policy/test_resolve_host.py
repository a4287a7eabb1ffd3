# SPDX-License-Identifier: Apache-2.0

import dataclasses

import ddt

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import kvm
from tests.unit.policy import cases

NotHere = exception.HostCannotDeliver


@ddt.ddt
class HostTestCase(cases.ResolveTestCase):
    """What this host cannot deliver."""

    @ddt.unpack
    @ddt.data(
        (
            {'flavor': {'xmm_input': 'on'}},
            "'xmm_input', which the flavor asks for "
            '(hyperv_enlight:xmm_input=on), is not available on this host: '
            'libvirt does not list it.',
        ),
        (
            {'image': {'xmm_input': 'on'}},
            "'xmm_input', which the image asks for "
            '(hyperv_enlight_xmm_input=on), is not available on this host: '
            'libvirt does not list it.',
        ),
        (
            {'force_on': ('xmm_input',)},
            "'xmm_input', which the operator asks for ([hyperv_enlight] "
            'force_on), is not available on this host: libvirt does not list '
            'it.',
        ),
    )
    def test_resolve_asked_for(self, kwargs, message):
        host = cases.make_host(cases.ALL - {'xmm_input'})
        self.check_refused(NotHere, message, host=host, **kwargs)

    def test_resolve_asked_for_and_unknown(self):
        self.check_refused(
            NotHere,
            "'synic', which the flavor asks for (hyperv_enlight:synic=on), "
            'is not available on this host: no source says whether the host '
            'has it.',
            {'synic': 'on'},
            host=cases.make_host(unknown=['synic']),
        )

    def test_resolve_required(self):
        self.check_refused(
            NotHere,
            "'stimer' (flavor) requires 'synic', which is not available on "
            'this host: libvirt does not list it.',
            {'stimer': 'on'},
            host=cases.make_host(cases.ALL - {'synic'}),
        )

    def test_resolve_turned_off_and_not_offered(self):
        decided = cases.decide(
            {'synic': 'off'}, host=cases.make_host(cases.ALL - {'synic'})
        )
        self.assertNotIn('synic', decided.selection.features)

    def test_resolve_left_out(self):
        decided = cases.decide(host=cases.make_host(cases.ALL - {'reset'}))
        self.check_on(cases.BASELINE - {'reset'}, decided)
        self.check_outcome(
            decided,
            'reset',
            'off',
            'not-offered',
            'host',
            "'reset' is off: libvirt does not list it.",
        )
        self.assertEqual(['reset'], [v.name for v in decided.left_out])

    def test_resolve_left_out_unknown(self):
        self.check_outcome(
            cases.decide(host=cases.make_host(unknown=['reset'])),
            'reset',
            'off',
            'not-known',
            'host',
            "'reset' is off: no source says whether the host has it.",
        )

    @ddt.unpack
    @ddt.data(
        ({'names': cases.ALL - {'synic'}}, 'this host does not offer'),
        ({'unknown': ['synic']}, 'this host is not known to offer'),
    )
    def test_resolve_left_out_with_what_requires_it(self, kwargs, why):
        decided = cases.decide(host=cases.make_host(**kwargs))
        self.check_outcome(
            decided,
            'stimer',
            'off',
            'requires',
            'host',
            f"'stimer' requires 'synic', which {why}.",
        )
        self.check_on(
            cases.BASELINE - {'synic', 'stimer', 'stimer.direct'}, decided
        )

    def test_resolve_nothing_offered(self):
        decided = cases.decide(host=cases.make_host(()))
        self.check_on((), decided)
        self.assertTrue(decided.acts)
        self.assertEqual(
            cases.BASELINE, {outcome.name for outcome in decided.left_out}
        )

    def test_resolve_evmcs_left_out_with_what_it_carries(self):
        # On Intel the two others do nothing without it.
        host = cases.make_host(cases.ALL - {'evmcs'})
        self.check_on(
            cases.PERFORMANCE, cases.decide(profile='nested', host=host)
        )

    def test_resolve_evmcs_left_out_alone_on_amd(self):
        host = cases.make_host(cases.ALL - {'evmcs'}, vendor=cases.AMD)
        self.check_on(
            cases.NESTED - {'evmcs'}, cases.decide(profile='nested', host=host)
        )

    @ddt.data('evmcs', 'emsr_bitmap', 'tlbflush.direct')
    def test_resolve_cpu_without_nesting(self, name):
        decided = cases.decide(profile='nested', nested=False)
        self.check_on(cases.PERFORMANCE, decided)
        self.check_outcome(
            decided,
            name,
            'off',
            'guest',
            'host',
            f"{name!r} is off: the guest's CPU shows neither vmx nor svm.",
        )

    def test_resolve_cpu_without_nesting_asked_for(self):
        self.check_refused(
            NotHere,
            "'evmcs', which the flavor asks for (hyperv_enlight:evmcs=on), "
            "is not available on this host: the guest's CPU shows neither vmx "
            'nor svm.',
            {'evmcs': 'on'},
            nested=False,
        )

    @ddt.data(True, None)
    def test_resolve_cpu_with_nesting(self, nested):
        self.check_on(
            cases.NESTED, cases.decide(profile='nested', nested=nested)
        )


@ddt.ddt
class ClockTestCase(cases.ResolveTestCase):
    def told(self, clocksource, profile='baseline'):
        """Return the text of hypervclock's outcome on such a host."""
        sources = dataclasses.replace(
            cases.HOST.sources, kernel=kvm.KernelFacts(clocksource=clocksource)
        )
        host = dataclasses.replace(cases.HOST, sources=sources)
        decided = cases.decide(host=host, profile=profile)
        return self.outcome(decided, 'hypervclock').text

    def test_slow(self):
        self.assertEqual(
            "'hypervclock' is on: profile 'baseline' asks for it; the host's "
            'clocksource is acpi_pm, so each look of Windows at its clock '
            'exits.',
            self.told('acpi_pm'),
        )

    @ddt.data('tsc', 'hyperv_clocksource_tsc_page', None)
    def test_fast(self, clocksource):
        self.assertEqual(
            "'hypervclock' is on: profile 'baseline' asks for it.",
            self.told(clocksource),
        )

    def test_off(self):
        self.assertNotIn('clocksource', self.told('acpi_pm', 'none'))
