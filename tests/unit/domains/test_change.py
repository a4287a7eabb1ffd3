# SPDX-License-Identifier: Apache-2.0

import dataclasses

import ddt

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domains import change
from nova_hyperv_enlight.domains import findings
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import settings
from tests.unit import base
from tests.unit.domains import guests
from tests.unit.domxml import domains
from tests.unit.policy import cases

HOST = cases.make_host(cases.BASELINE)


def decide(*names, host=HOST, guest=None, **kwargs):
    """Decide about a guest that has these names."""
    conf = {
        key: kwargs.pop(key)
        for key in settings.Settings.__dataclass_fields__
        if key in kwargs
    }
    kwargs.setdefault('replaces', not kwargs)
    for key in ('on', 'off', 'codes'):
        kwargs[key] = frozenset(kwargs.get(key, ()))
    guest = guest or guests.make(
        hyperv=selections.Selection(features=frozenset(names))
    )
    return change.decide(
        guest,
        change.ChangeRequest(conf=settings.Settings(**conf), **kwargs),
        host,
    )


@ddt.ddt
class WholeTestCase(base.TestCase):
    """The profile takes the place of what a guest has."""

    def test_profile(self):
        answer = decide('avic', profile='minimal')

        self.assertEqual(cases.MINIMAL, answer.change.selection.features)
        self.assertEqual((), answer.notes)
        self.assertIsNone(answer.change.clock_offset)
        self.assertEqual((), answer.change.timers)

    @ddt.unpack
    @ddt.data(
        ('performance', cases.AMD, True, True),
        ('performance', cases.INTEL, True, False),
        # One that is not there is not turned on.
        ('performance', cases.AMD, False, False),
        ('baseline', cases.AMD, True, False),
    )
    def test_the_pit(self, profile, vendor, kernel_pit, discards):
        answer = decide(
            guest=guests.make(kernel_pit=kernel_pit),
            host=cases.make_host(vendor=vendor),
            profile=profile,
        )

        self.assertIs(discards, answer.change.selection.pit_discards)

    def test_toggles(self):
        answer = decide(
            profile='minimal', replaces=True, on=['ipi'], off=['vapic']
        )

        self.assertEqual(
            cases.MINIMAL - {'vapic'} | {'ipi', 'vpindex'},
            answer.change.selection.features,
        )

    def test_what_the_host_lacks_is_told(self):
        answer = decide(profile='performance')

        self.assertEqual(cases.BASELINE, answer.change.selection.features)
        self.assertEqual(
            {
                "'tlbflush.extended' is off: libvirt does not list it.",
                "'xmm_input' is off: libvirt does not list it.",
                "'avic' is off: libvirt does not list it.",
            },
            set(answer.notes),
        )

    @ddt.data(True, False)
    def test_what_the_host_lacks_is_refused(self, replaces):
        error = self.assertRaises(
            exception.HostCannotDeliver, decide, replaces=replaces, on=['avic']
        )

        self.assertIn(
            "'avic', which the operator asks for (--on avic), is not "
            'available on this host: libvirt does not list it',
            str(error),
        )

    def test_passthrough_is_told(self):
        answer = decide(profile='passthrough', host=cases.make_host())

        self.assertIs(profiles.Mode.PASSTHROUGH, answer.change.selection.mode)
        self.assertEqual(
            ('The guest cannot be live migrated with that.',), answer.notes
        )

    def test_stock(self):
        error = self.assertRaises(
            exception.InvalidRequest, decide, profile='stock'
        )

        self.assertIn("'stock' leaves the choice to Nova", str(error))

    def test_nova_conf_is_no_matter(self):
        answer = decide(
            'ipi',
            enabled=False,
            keep_recorded=False,
            replaces=False,
            on=['vapic'],
        )

        self.assertIn('vapic', answer.change.selection.features)

    def test_the_table_of_releases(self):
        guest = guests.make(
            osinfo='http://microsoft.com/win/7', firmware='uefi'
        )

        answer = decide(guest=guest)

        self.assertEqual(frozenset(), answer.change.selection.features)
        self.assertIn("'relaxed' is off: ", answer.notes[0])

    def test_novas_words_are_no_matter_but_hiding(self):
        nova = guests.domain.Nova(
            image={'os_type': 'windows'},
            extra_specs={
                'hyperv_enlight:profile': 'none',
                'hide_hypervisor_id': 'true',
            },
        )

        answer = decide(
            guest=guests.make(nova=nova),
            profile='minimal',
            host=cases.make_host(),
        )

        self.assertEqual(
            cases.MINIMAL | {'vendor_id'}, answer.change.selection.features
        )

    def test_novas_words_are_no_matter_if_they_are_not_valid(self):
        nova = guests.domain.Nova(
            image={'os_type': 'windows', 'hyperv_enlight_ipi': 'maybe'},
            extra_specs={'hyperv_enlight:nothing': 'on'},
        )

        answer = decide(guest=guests.make(nova=nova), profile='minimal')

        self.assertEqual(cases.MINIMAL, answer.change.selection.features)


@ddt.ddt
class PartTestCase(base.TestCase):
    """Only what is named changes."""

    def names(self, *names, **kwargs):
        return decide(*names, **kwargs).change.selection.features

    def test_on(self):
        self.assertEqual(
            {'relaxed', 'stimer', 'synic', 'vpindex', 'hypervclock'},
            self.names('relaxed', on=['stimer']),
        )

    def test_off(self):
        self.assertEqual(
            {'vapic'}, self.names('relaxed', 'vapic', off=['relaxed'])
        )

    def test_what_stands_on_it_goes_too(self):
        answer = decide(
            *domains.close(['stimer.direct', 'ipi']), off=['synic']
        )

        self.assertEqual(
            {'vpindex', 'hypervclock', 'ipi'}, answer.change.selection.features
        )
        self.assertEqual(
            (
                "'stimer' is turned off too: it requires 'synic'.",
                "'stimer.direct' is turned off too: it requires 'stimer'.",
            ),
            answer.notes,
        )

    def test_what_the_host_lacks_stays(self):
        self.assertEqual(
            {'avic', 'synic', 'vpindex', 'evmcs', 'vapic', 'relaxed'},
            self.names(
                *('avic', 'synic', 'vpindex', 'evmcs', 'vapic'), on=['relaxed']
            ),
        )

    def test_a_guest_without_nesting_is_given_no_evmcs(self):
        error = self.assertRaises(
            exception.HostCannotDeliver,
            decide,
            *cases.MINIMAL,
            on=['evmcs'],
            host=cases.make_host(),
        )

        self.assertIn("the guest's CPU shows neither vmx nor svm", str(error))

    def test_values_stay(self):
        guest = guests.make(
            hyperv=domains.selection(
                'spinlocks', values={'spinlocks.retries': '4097'}
            )
        )

        answer = decide(guest=guest, on=['relaxed'])

        self.assertEqual(
            {('spinlocks.retries', '4097')}, answer.change.selection.values
        )

    def test_the_pinned_tsc_stays(self):
        guest = guests.make(
            hyperv=domains.selection('reenlightenment', tsc_frequency=7)
        )

        answer = decide(guest=guest, on=['relaxed'])

        self.assertEqual(7, answer.change.selection.tsc_frequency)

    def test_a_tsc_that_is_not_pinned_stays_so(self):
        guest = guests.make(names=['reenlightenment'])

        answer = decide(guest=guest, on=['relaxed'])

        self.assertIsNone(answer.change.selection.tsc_frequency)
        self.assertIn('reenlightenment', answer.change.selection.features)

    def test_the_tsc_is_pinned_for_who_needs_it(self):
        answer = decide(on=['reenlightenment'], host=cases.make_host())

        self.assertEqual(2794748000, answer.change.selection.tsc_frequency)

    def test_beside_a_mode(self):
        guest = guests.make(
            hyperv=selections.Selection(mode=profiles.Mode.HOST_MODEL)
        )

        answer = decide(
            guest=guest, on=['hypervclock'], host=cases.make_host()
        )

        self.assertIs(profiles.Mode.HOST_MODEL, answer.change.selection.mode)
        self.assertIn('hypervclock', answer.change.selection.features)

    def test_what_lacks_something_already_stays(self):
        names = {*cases.BASELINE, 'evmcs'} - {'hypervclock', 'vapic'}

        answer = decide(*names, off=['ipi'])

        self.assertEqual(names - {'ipi'}, answer.change.selection.features)
        self.assertEqual(
            (
                "'stimer' requires 'hypervclock', which is off as it was: "
                '--on hypervclock adds it.',
                "'evmcs' requires 'vapic', which is off as it was: --on vapic "
                'adds it.',
            ),
            answer.notes,
        )

    def test_what_lacks_something_gets_it(self):
        names = cases.BASELINE - {'hypervclock'}

        answer = decide(*names, on=['hypervclock'])

        self.assertEqual(cases.BASELINE, answer.change.selection.features)
        self.assertEqual((), answer.notes)

    def test_what_its_release_must_not_be_given_stays(self):
        guest = guests.make(
            osinfo='http://microsoft.com/win/7', firmware='uefi'
        )

        answer = decide(guest=guest, off=['ipi'])

        self.assertEqual(
            cases.BASELINE - {'ipi'}, answer.change.selection.features
        )

    @ddt.data(
        {'on': ['ipi'], 'off': ['ipi']}, {'on': ['ipi'], 'off': ['vpindex']}
    )
    def test_refused(self, toggles):
        self.assertRaises(exception.InvalidRequest, decide, **toggles)


@ddt.ddt
class BesideTestCase(base.TestCase):
    """Only what is named changes beside a mode: overrides stay."""

    def change(self, guest=None, there=None, **kwargs):
        """Decide about a guest in mode host-model.

        :param there: its overrides.
        :returns: what it shall have, and the notes.
        """
        there = dataclasses.replace(
            there or domains.selection(),
            mode=kwargs.pop('mode', profiles.Mode.HOST_MODEL),
        )
        kwargs.setdefault('host', cases.make_host())
        answer = decide(guest=guests.make(hyperv=there), **kwargs)
        self.assertIs(there.mode, answer.change.selection.mode)
        return answer.change.selection, answer.notes

    def test_overrides_stay(self):
        there = domains.selection(
            *('relaxed', 'spinlocks', 'hypervclock'),
            values={'spinlocks.retries': '8192'},
            off=frozenset(['xmm_input']),
        )

        found, notes = self.change(there=there, off=['ipi'])

        self.assertEqual(there.features, found.features)
        self.assertEqual(there.values, found.values)
        self.assertEqual({'xmm_input', 'ipi'}, found.off)
        self.assertEqual((), notes)

    def test_nothing_else_is_written(self):
        # Neither the timer nor reenlightenment, as the profile would.
        found, _ = self.change(off=['ipi'])

        self.assertEqual((set(), {'ipi'}), (found.features, found.off))

    def test_an_override_is_turned_round(self):
        there = domains.selection('relaxed', off=frozenset(['ipi', 'vpindex']))

        found, _ = self.change(there=there, on=['ipi'], off=['relaxed'])

        self.assertEqual({'ipi', 'vpindex'}, found.features)
        self.assertEqual({'relaxed'}, found.off)

    def test_what_stands_on_it_goes_too(self):
        there = domains.selection('synic', 'vpindex')

        found, notes = self.change(there=there, off=['vpindex'])

        self.assertEqual(set(), found.features)
        self.assertLessEqual({'vpindex', 'synic', 'stimer'}, found.off)
        self.assertEqual(
            ("'synic' is turned off too: it requires 'vpindex'.",), notes
        )

    @ddt.unpack
    @ddt.data((cases.ALL, True), (cases.ALL - {'tlbflush'}, False))
    def test_a_part_that_is_off_has_a_place(self, offered, on):
        found, _ = self.change(
            off=['tlbflush.extended'], host=cases.make_host(offered)
        )

        self.assertEqual(on, 'tlbflush' in found.features)
        self.assertEqual(not on, 'tlbflush' in found.off)
        hyperv.build_features(found)

    def test_what_lacks_something_already_stays(self):
        there = selections.Selection(
            features=frozenset(['synic']), off=frozenset(['vpindex'])
        )

        found, notes = self.change(there=there, off=['ipi'])

        self.assertEqual({'synic'}, found.features)
        self.assertEqual({'vpindex', 'ipi'}, found.off)
        self.assertIn("'synic' requires 'vpindex', which is off", notes[0])

    def test_what_libvirt_names_is_no_matter(self):
        there = selections.Selection(features=frozenset(['stimer']))

        _, notes = self.change(there=there, off=['ipi'])

        self.assertEqual((), notes)

    def test_an_old_windows(self):
        there = dataclasses.replace(
            domains.selection('relaxed'), mode=profiles.Mode.HOST_MODEL
        )
        guest = guests.make(
            hyperv=there, osinfo='http://microsoft.com/win/7', firmware='uefi'
        )

        found = decide(guest=guest, off=['ipi'], host=cases.make_host())

        self.assertEqual({'relaxed'}, found.change.selection.features)
        self.assertIs(there.mode, found.change.selection.mode)

    def test_a_host_without_any(self):
        error = self.assertRaises(
            exception.HostCannotDeliver,
            self.change,
            off=['ipi'],
            host=cases.make_host(()),
        )

        self.assertIn("The guest has mode='host-model', and this", str(error))

    @ddt.unpack
    @ddt.data(
        (
            profiles.Mode.HOST_MODEL,
            (12, 0, 0),
            exception.HostCannotDeliver,
            "The guest has mode='host-model', and before libvirt 12.1.0 "
            'nothing can be switched beside it: this host has 12.0.0.',
        ),
        (
            profiles.Mode.PASSTHROUGH,
            (12, 4, 0),
            exception.InvalidRequest,
            "The guest has mode='passthrough', and nothing can be switched "
            'beside it.',
        ),
    )
    def test_nothing_can_be_switched(self, mode, libvirt, error, text):
        host = cases.make_host(libvirt=libvirt)

        raised = self.assertRaises(
            error, self.change, mode=mode, off=['ipi'], host=host
        )

        self.assertEqual(text, str(raised))


@ddt.ddt
class FixTestCase(base.TestCase):
    """Findings are cured."""

    def test_missing(self):
        answer = decide('relaxed', codes=['missing'])

        self.assertEqual(cases.BASELINE, answer.change.selection.features)

    def test_nova_conf_is_no_matter(self):
        answer = decide('relaxed', codes=['missing'], enabled=False)

        self.assertEqual(cases.BASELINE, answer.change.selection.features)

    def test_only_what_is_named(self):
        guest = guests.make(names=['relaxed'], hpet=True, clock_offset='utc')

        answer = decide(guest=guest, codes=['hpet', 'clock-utc'])

        self.assertEqual({'relaxed'}, answer.change.selection.features)
        self.assertEqual((('hpet', False),), answer.change.timers)
        self.assertEqual('localtime', answer.change.clock_offset)

    def test_nothing_to_cure(self):
        guest = guests.make(names=['relaxed', 'synic'])

        answer = decide(guest=guest, codes=['hpet'])

        self.assertEqual(guest.hyperv, answer.change.selection)
        self.assertIsNone(answer.change.clock_offset)

    def test_avic_inhibited(self):
        host = cases.make_host(vendor=cases.AMD)
        guest = guests.make(names=['avic', 'synic', 'vpindex'])

        for code, discards in (('avic-inhibited', True), ('hpet', False)):
            answer = decide(guest=guest, codes=[code], host=host)

            self.assertEqual(
                dataclasses.replace(guest.hyperv, pit_discards=discards),
                answer.change.selection,
            )

    def test_not_delivered(self):
        names = {*cases.BASELINE, 'avic'}

        answer = decide(*names, codes=['not-delivered'])

        self.assertEqual(cases.BASELINE, answer.change.selection.features)

    def test_unmet(self):
        answer = decide('stimer', 'relaxed', codes=['unmet-dependency'])

        self.assertEqual(
            {'relaxed', *domains.close(['stimer'])},
            answer.change.selection.features,
        )

    def test_passthrough_gives_way_to_the_profile(self):
        guest = guests.make(
            hyperv=selections.Selection(mode=profiles.Mode.PASSTHROUGH)
        )

        answer = decide(guest=guest, codes=['passthrough'])

        self.assertIs(profiles.Mode.CUSTOM, answer.change.selection.mode)
        self.assertEqual(cases.BASELINE, answer.change.selection.features)

    def test_the_operator_goes_first(self):
        answer = decide(
            'relaxed', codes=['missing'], off=['stimer', 'stimer.direct']
        )

        self.assertEqual(
            cases.BASELINE - {'stimer', 'stimer.direct'},
            answer.change.selection.features,
        )

    @ddt.data(*(k.code for k in findings.KINDS.values() if k.fix))
    def test_every_code_again_finds_nothing(self, code):
        guest = guests.make(
            names=['stimer', 'avic', 'reenlightenment', 'evmcs'],
            hpet=True,
            clock_offset='utc',
        )
        first = decide(guest=guest, codes=[code]).change
        after = guests.make(
            hyperv=first.selection,
            hpet=False if first.timers else True,
            clock_offset=first.clock_offset or 'utc',
        )

        again = decide(guest=after, codes=[code]).change

        self.assertEqual(first.selection.features, again.selection.features)
        self.assertEqual((), again.timers)
        self.assertIsNone(again.clock_offset)
