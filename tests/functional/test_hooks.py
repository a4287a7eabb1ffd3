# SPDX-License-Identifier: Apache-2.0

"""Our hooks on Nova's own configuration objects."""

import ddt
from lxml import etree
from nova.virt.libvirt import config as vconfig
import testtools

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.hooks import base
from nova_hyperv_enlight.hooks import hyperv
from nova_hyperv_enlight.hooks import hypervclock
from nova_hyperv_enlight.hooks import pit
from nova_hyperv_enlight.policy import decision


def make_context(*names, **selected):
    return base.Context(
        instance_uuid='63fca0e3-6f2d-4a5a-8a5c-0f2b8a4c2f5e',
        decision=decision.Decision(
            acts=True,
            profile='baseline',
            outcomes=(),
            selection=selections.Selection(
                features=frozenset(names), **selected
            ),
        ),
    )


def make_clock(*names):
    clock = vconfig.LibvirtConfigGuestClock()
    clock.offset = 'utc'
    for name in names:
        timer = vconfig.LibvirtConfigGuestTimer()
        timer.name = name
        clock.add_timer(timer)
    return clock


class HypervHookTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.config = vconfig.LibvirtConfigGuest()
        self.acpi = vconfig.LibvirtConfigGuestFeatureACPI()
        self.apic = vconfig.LibvirtConfigGuestFeatureAPIC()
        self.own = vconfig.LibvirtConfigGuestFeatureHyperV()
        self.own.relaxed = True

    def apply(self, *names, **selected):
        hyperv.HypervHook().apply(
            self.config, make_context(*names, **selected)
        )

    def features(self):
        return [
            etree.tostring(feature.format_dom()).decode()
            for feature in self.config.features
        ]

    def test_takes_the_place_of_novas(self):
        self.config.features = [self.acpi, self.own, self.apic]

        self.apply('vapic')

        self.assertEqual(
            ['<acpi/>', '<hyperv><vapic state="on"/></hyperv>', '<apic/>'],
            self.features(),
        )

    def test_comes_last_where_nova_has_none(self):
        self.config.features = [self.acpi, self.apic]

        self.apply('vapic')

        self.assertEqual(
            ['<acpi/>', '<apic/>', '<hyperv><vapic state="on"/></hyperv>'],
            self.features(),
        )

    def test_nothing_removes_novas(self):
        self.config.features = [self.acpi, self.own]

        self.apply()

        self.assertEqual(['<acpi/>'], self.features())

    def test_a_timer_alone_removes_novas(self):
        self.config.features = [self.own]

        self.apply('hypervclock')

        self.assertEqual([], self.features())

    def test_twice_is_once(self):
        self.config.features = [self.acpi, self.own]

        self.apply('vapic')
        self.apply('vapic')

        self.assertEqual(
            ['<acpi/>', '<hyperv><vapic state="on"/></hyperv>'],
            self.features(),
        )

    def test_the_objects_of_others_are_kept(self):
        self.config.features = [self.acpi, self.own, self.apic]

        self.apply('vapic')

        self.assertIs(self.acpi, self.config.features[0])
        self.assertIs(self.apic, self.config.features[2])

    def test_the_document_can_be_made_twice(self):
        # An lxml element has one parent: it must not move.
        self.config.features = [self.own]
        self.apply('vapic', 'stimer', 'stimer.direct')

        self.assertEqual(self.features(), self.features())

    def test_other_hooks_can_ask_as_they_ask_nova(self):
        self.apply(
            'vapic',
            'spinlocks',
            'stimer',
            'vendor_id',
            values=frozenset(
                (('spinlocks.retries', '9000'), ('vendor_id.value', 'Contoso'))
            ),
        )

        (found,) = self.config.features
        self.assertIsInstance(found, vconfig.LibvirtConfigGuestFeatureHyperV)
        self.assertEqual(
            (True, True, 9000, True, 'Contoso', False),
            (
                found.vapic,
                found.spinlocks,
                found.spinlock_retries,
                found.vendorid_spoof,
                found.vendorid,
                found.relaxed,
            ),
        )

    def test_values_that_are_not_decided_are_novas(self):
        self.apply('vapic')

        (found,) = self.config.features
        self.assertEqual(
            (self.own.spinlock_retries, self.own.vendorid, False),
            (found.spinlock_retries, found.vendorid, found.vendorid_spoof),
        )

    def test_mode(self):
        self.apply(mode=profiles.Mode.PASSTHROUGH)

        self.assertEqual(['<hyperv mode="passthrough"/>'], self.features())


@ddt.ddt
class HypervclockHookTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.config = vconfig.LibvirtConfigGuest()

    def apply(self, *names):
        hypervclock.HypervclockHook().apply(self.config, make_context(*names))
        return [
            (timer.name, timer.format_dom().get('present'))
            for timer in self.config.clock.timers
        ]

    @ddt.data(
        (('pit', 'rtc'), ('hypervclock',)),
        (('pit', 'hypervclock', 'rtc'), ('hypervclock', 'synic')),
    )
    @ddt.unpack
    def test_on(self, timers, names):
        self.config.clock = make_clock(*timers)

        self.assertEqual(
            [('pit', None), ('rtc', None), ('hypervclock', 'yes')],
            self.apply(*names),
        )

    @ddt.data((), ('relaxed', 'synic'))
    def test_off(self, names):
        self.config.clock = make_clock('pit', 'hypervclock')

        self.assertEqual([('pit', None)], self.apply(*names))

    @ddt.data((), ('hypervclock',))
    def test_the_clock_is_local(self, names):
        self.config.clock = make_clock()

        self.apply(*names)

        self.assertEqual('localtime', self.config.clock.offset)

    def test_no_clock(self):
        hypervclock.HypervclockHook().apply(
            self.config, make_context('hypervclock')
        )

        self.assertIsNone(self.config.clock)

    def test_the_document_can_be_made_twice(self):
        self.config.clock = make_clock('pit')
        self.apply('hypervclock')

        self.assertEqual(
            self.config.clock.to_xml(), self.config.clock.to_xml()
        )

    def test_the_pit_is_not_its_own(self):
        self.config.clock = make_clock('pit')

        hypervclock.HypervclockHook().apply(
            self.config, make_context('avic', pit_discards=True)
        )

        self.assertEqual(
            [('pit', None)],
            [
                (each.name, each.tickpolicy)
                for each in self.config.clock.timers
            ],
        )


@ddt.ddt
class PitHookTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.config = vconfig.LibvirtConfigGuest()

    def apply(self, **selected):
        pit.PitHook().apply(self.config, make_context('avic', **selected))
        return [
            etree.tostring(timer.format_dom()).decode()
            for timer in self.config.clock.timers
        ]

    @ddt.data(('pit', 'rtc'), ('rtc',))
    def test_discards(self, timers):
        self.config.clock = make_clock(*timers)

        self.assertEqual(
            [
                '<timer name="rtc"/>',
                '<timer name="pit" tickpolicy="discard"/>',
            ],
            self.apply(pit_discards=True),
        )

    def test_others_can_ask_as_they_ask_nova(self):
        self.config.clock = make_clock('pit')

        self.apply(pit_discards=True)

        (timer,) = self.config.clock.timers
        self.assertEqual(('pit', 'discard'), (timer.name, timer.tickpolicy))

    def test_novas_own_stays(self):
        self.config.clock = make_clock('pit', 'rtc')
        before = list(self.config.clock.timers)

        self.apply()

        self.assertEqual(before, self.config.clock.timers)
        self.assertEqual('utc', self.config.clock.offset)

    def test_no_clock(self):
        pit.PitHook().apply(
            self.config, make_context('avic', pit_discards=True)
        )

        self.assertIsNone(self.config.clock)
