# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.domains import apply
from nova_hyperv_enlight.domains import audit
from nova_hyperv_enlight.domains import findings
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import settings
from tests.unit import base
from tests.unit.domains import guests
from tests.unit.policy import cases


class Offers:
    """Tells of a host that has everything, and counts the questions."""

    def __init__(self):
        self.asked = []

    def __call__(self, *kind):
        self.asked.append(kind)
        return cases.HOST


class AuditTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.offers = Offers()

    def audit(self, *answers, known=()):
        """Audit the guests of these documents, or of what reading raises."""
        auditor = audit.Auditor(settings.Settings(), self.offers, known)
        return [
            auditor.audit(guests.Guest(f'win{place}', answer))
            for place, answer in enumerate(answers)
        ]

    def found(self, answer, **kwargs):
        """Return what is found in one guest, as codes, names and texts."""
        (result,) = self.audit(answer, **kwargs)
        for each in result.found:
            self.assertEqual('win0', each.domain)
        return [
            (each.kind.code, each.name, each.text) for each in result.found
        ]


@ddt.ddt
class ReadTestCase(AuditTestCase):
    def test_nothing_is_wrong(self):
        (result,) = self.audit(guests.document('win0'))

        self.assertEqual(
            ('win0', True, ()), (result.domain, result.windows, result.found)
        )
        self.assertEqual(cases.BASELINE, result.wanted.features)

    def test_something_is_wrong(self):
        text = guests.document('win0', hpet='yes', timers='')

        self.assertEqual(
            ['unmet-dependency', 'missing', 'hpet'],
            [code for code, _, _ in self.found(text)],
        )

    @ddt.data('', guests.of_osinfo('http://debian.org/debian/13'))
    def test_what_is_not_windows_is_passed_over(self, metadata):
        text = guests.document('win0', metadata=metadata, hpet='yes')

        self.assertEqual(
            [audit.Result(domain='win0', windows=False)], self.audit(text)
        )
        self.assertEqual([], self.offers.asked)

    def test_what_is_known_to_be_windows(self):
        text = guests.document(metadata='', hpet='yes')

        results = self.audit(text, text, known=['win1'])

        self.assertEqual([False, True], [each.windows for each in results])
        self.assertEqual([0, 1], [len(each.found) for each in results])

    def test_a_document_that_is_none(self):
        self.assertEqual(
            [
                (
                    'unreadable',
                    '',
                    "domain cannot be read: its root element is <network>",
                )
            ],
            self.found('<network/>'),
        )

    def test_a_mode_that_is_not_known(self):
        ((code, _, text),) = self.found(guests.document(mode='newest'))

        self.assertEqual('unreadable', code)
        self.assertIn("<hyperv mode='newest'> is not known", text)

    def test_a_guest_that_libvirt_does_not_read(self):
        failed = guests.Failed('access denied', code=29)

        self.assertEqual(
            [('unreadable', '', 'The domain cannot be read: access denied')],
            self.found(failed),
        )

    def test_an_error_that_is_not_libvirts(self):
        ((code, _, text),) = self.found(OSError('broken pipe'))

        self.assertEqual('unreadable', code)
        self.assertIn('broken pipe', text)

    def test_a_guest_that_vanished(self):
        failed = guests.Failed('Domain not found', code=42)

        self.assertEqual(
            [('vanished', '', 'It vanished before it could be read.')],
            self.found(failed),
        )

    def test_the_others_are_audited_all_the_same(self):
        results = self.audit(
            guests.Failed('Domain not found', code=42),
            guests.document('win1'),
            '<domain',
            guests.document('win3', hpet='yes'),
        )

        self.assertEqual(
            [None, True, None, True], [each.windows for each in results]
        )
        self.assertEqual([1, 0, 1, 1], [len(each.found) for each in results])


@ddt.ddt
class OverridesTestCase(AuditTestCase):
    """What the image and the flavor switch, by the plugin's metadata."""

    WITHOUT_RESET = guests.BASELINE.replace('<reset state="on"/>', '')
    #: As Nova writes them, which knows none of our image properties.
    NOVAS = {
        34: guests.of_nova({'os_type': 'windows'}),
        31: guests.of_nova(release='31.0.0'),
    }

    def codes(self, nova, **asked):
        text = guests.document(
            'win0',
            metadata=self.NOVAS[nova] + guests.of_plugin(**asked),
            features=self.WITHOUT_RESET,
        )
        return [(code, name) for code, name, _ in self.found(text)]

    @ddt.data(*NOVAS)
    def test_what_is_turned_off_is_not_missing(self, nova):
        self.assertEqual([('missing', 'reset')], self.codes(nova))
        self.assertEqual(
            [], self.codes(nova, properties={'hyperv_enlight_reset': 'off'})
        )
        self.assertEqual(
            [], self.codes(nova, specs={'hyperv_enlight:reset': 'off'})
        )
        self.assertEqual(
            [],
            self.codes(nova, properties={'hyperv_enlight_profile': 'minimal'}),
        )

    @ddt.data(*NOVAS)
    def test_what_is_turned_on_is_missing(self, nova):
        self.assertEqual(
            [('missing', 'reset'), ('missing', 'xmm_input')],
            self.codes(nova, properties={'hyperv_enlight_xmm_input': 'on'}),
        )

    @ddt.data(
        {'hyperv_enlight_evmcs': 'on'},
        {'hyperv_enlight_profile': 'passthrough'},
        {'hyperv_enlight_reset': 'maybe'},
    )
    def test_what_is_not_allowed_is_told(self, properties):
        self.assertEqual(
            [('refused', '')], self.codes(34, properties=properties)
        )


class Running(guests.Guest):
    """A guest that runs, and starts with another document next time."""

    def __init__(self, live, later):
        super().__init__('win0', live)
        self._later = later

    def isActive(self):
        return 1

    def XMLDesc(self, flags=0):
        if not flags & apply.INACTIVE:
            return super().XMLDesc(flags)
        if isinstance(self._later, Exception):
            raise self._later
        return self._later


class ToDoTestCase(AuditTestCase):
    FAULTY = guests.document('win0', hpet='yes', offset='utc')

    def to_do(self, guest):
        auditor = audit.Auditor(settings.Settings(), self.offers)
        result = auditor.audit(guest)
        return {each.kind.code: result.to_do(each) for each in result.found}

    def test_a_change_of_the_xml(self):
        self.assertEqual(
            {
                'hpet': 'domain apply --fix hpet',
                'clock-utc': 'domain apply --fix clock-utc',
            },
            self.to_do(guests.Guest('win0', self.FAULTY)),
        )

    def test_what_the_next_start_cures(self):
        later = guests.document('win0', offset='utc')

        self.assertEqual(
            {
                'hpet': 'Shut it down and start it: its next XML is cured.',
                'clock-utc': 'domain apply --fix clock-utc',
            },
            self.to_do(Running(self.FAULTY, later)),
        )

    def test_what_the_next_start_is_cannot_be_read(self):
        found = self.to_do(Running(self.FAULTY, guests.Failed('denied')))

        self.assertEqual('domain apply --fix hpet', found['hpet'])

    def test_a_guest_of_nova(self):
        text = guests.document(
            'win0',
            metadata=guests.of_nova({'os_type': 'windows'}),
            hpet='yes',
            features='',
        )

        found = self.to_do(Running(text, guests.document('win0')))

        self.assertIn('Hard reboot', found['missing'])
        self.assertIn('hw_time_hpet', found['hpet'])

    def test_what_no_change_of_the_xml_cures(self):
        text = guests.document('win0', virt_type='xen')

        self.assertEqual(
            {'unknown-type': findings.UNKNOWN_TYPE.cure},
            self.to_do(guests.Guest('win0', text)),
        )


class OffersTestCase(AuditTestCase):
    def test_the_host_is_asked_about_the_guest_s_own_kind(self):
        self.audit(guests.document('win0', machine='pc-i440fx-7.2'))

        self.assertEqual(
            [('x86_64', 'pc-i440fx-7.2', 'kvm')], self.offers.asked
        )

    def test_the_host_is_asked_once_about_each_kind(self):
        self.audit(
            *[guests.document(machine='pc')] * 3,
            *[guests.document(machine='q35')] * 3,
            guests.document(machine='q35', virt_type='qemu'),
        )

        self.assertEqual(
            [
                ('x86_64', 'pc', 'kvm'),
                ('x86_64', 'q35', 'kvm'),
                ('x86_64', 'q35', 'qemu'),
            ],
            self.offers.asked,
        )


class SelectTestCase(base.TestCase):
    CONNECTION = guests.Connection(dict.fromkeys(('b', 'c', 'a')))

    def select(self, *names):
        return [g.name() for g in audit.select(self.CONNECTION, names)]

    def test_all_by_their_names(self):
        self.assertEqual(['a', 'b', 'c'], self.select())

    def test_some(self):
        self.assertEqual(['c', 'a'], self.select('c', 'a', 'c'))

    def test_one_that_is_not_there(self):
        error = self.assertRaises(
            exception.InvalidRequest, self.select, 'a', 'x'
        )

        self.assertEqual(
            "There is no domain 'x': Domain not found", str(error)
        )

    def test_they_cannot_be_listed(self):
        class Broken:
            def listAllDomains(self):
                raise guests.Failed('no connection')

        error = self.assertRaises(
            exception.InvalidRequest, audit.select, Broken(), ()
        )

        self.assertEqual(
            'The domains cannot be listed: no connection', str(error)
        )
