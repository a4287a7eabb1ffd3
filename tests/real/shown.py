# SPDX-License-Identifier: Apache-2.0
"""Boot guests in one Nova, and keep what became of each.

Nova takes long to start where the machine is emulated, so it starts once: a
test case that passes no judgement boots all guests, and any number of tests
look at what it has seen.
"""

import dataclasses
import os
import pathlib
import sys
import time
import types
import unittest

import fixtures
from lxml import etree

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.guest import cpuid
from tests.fixtures import nova
from tests.fixtures import server as server_fixture
from tests.real import base
from tests.real import guests as all_guests

_POLL_SECONDS = 0.2
_IN_LAB = 'LAB_OUT' in os.environ
# oslo.messaging's driver for tests looks for messages 20 times a second, for
# each service; and Python's threads change 200 times a second at most. The
# lab's processor has done a twentieth of the work by then.
_MESSAGING_TIME = 'oslo_messaging._drivers.impl_fake.time'
_LAB_IS_SLOWER = 20
# For all guests together, once the last one has been booted.
_REPORT_SECONDS = server_fixture.WAIT_SECONDS / 4


@dataclasses.dataclass(kw_only=True)
class Seen:
    """What became of one guest.

    :ivar guest: the guest
    :ivar status: the server's, as the API shows it
    :ivar fault: its fault, or nothing
    :ivar started_xml: the live XML just after the boot
    :ivar xml: the live XML when all guests had been booted
    :ivar console: what its serial console wrote
    :ivar lines: what the plugin logged about it
    """

    guest: all_guests.Guest
    status: str
    fault: str
    started_xml: str = ''
    xml: str = ''
    console: str = ''
    lines: list[str] = dataclasses.field(default_factory=list)

    @property
    def domain(self):
        """The running domain as an element."""
        return etree.fromstring(self.xml)

    @property
    def mode(self):
        """The mode of ``<hyperv>``, or None."""
        found = self.domain.find('features/hyperv')
        return None if found is None else found.get('mode', 'custom')

    @property
    def on(self):
        """What is on in the running domain: values by name, or None."""
        found = {}
        for element in self.domain.iterfind('features/hyperv//*[@state]'):
            parent = element.getparent().tag
            name = element.tag
            if parent != 'hyperv':
                name = f'{parent}.{name}'
            if element.get('state') == 'on':
                found[name] = element.get('retries') or element.get('value')
        for timer in self.domain.iterfind('clock/timer'):
            if (timer.get('name'), timer.get('present')) == (
                'hypervclock',
                'yes',
            ):
                found['hypervclock'] = None
        return found

    @property
    def leaves(self):
        """The CPUID leaves that the guest read."""
        return cpuid.parse(self.console)

    @property
    def shown(self):
        """The names whose bits the guest read."""
        return {
            name
            for name, entry in enlightenments.ENLIGHTENMENTS.items()
            if entry.cpuid and cpuid.shows(self.leaves, entry)
        }


def _tell(text):
    """Tell the lab's log how far it is; it may be killed for its slowness."""
    if _IN_LAB:
        clock = time.strftime('%H:%M:%S')
        print(f'{clock} {text}', file=sys.__stderr__, flush=True)


class _Boots(base.RealTestCase):
    """Boots the guests; passes no judgement on what becomes of them.

    :cvar GUESTS: which
    :cvar SEEN: a list that gets what was seen
    """

    COMPUTE_DRIVER = nova.PLUGIN_DRIVER
    GUESTS = ()
    SEEN = None

    def setUp(self):
        if _IN_LAB:
            sys.setswitchinterval(_LAB_IS_SLOWER * sys.getswitchinterval())
            slow = types.SimpleNamespace(
                time=time.time,
                sleep=lambda pause: time.sleep(_LAB_IS_SLOWER * pause),
            )
            self.useFixture(fixtures.MonkeyPatch(_MESSAGING_TIME, slow))
        super().setUp()

    def runTest(self):
        """Boot all guests, Nova's own first."""
        # The lab's disk is its memory; a guest takes next to none of it.
        ratio = float(len(self.GUESTS))
        self.flags(disk_allocation_ratio=ratio, cpu_allocation_ratio=ratio)
        self.flags(instances=-1, cores=-1, group='quota')
        servers = []
        for driver in (nova.STOCK_DRIVER, nova.PLUGIN_DRIVER):
            is_stock = driver == nova.STOCK_DRIVER
            guests = [one for one in self.GUESTS if one.is_stock is is_stock]
            if guests:
                self._start_with(driver)
            # One after another: at the same time they take much longer, for
            # threads of Python that fight for its one lock.
            servers += [self._boot_guest(guest) for guest in guests]
        deadline = time.monotonic() + _REPORT_SECONDS
        for seen, server in zip(self.SEEN, servers):
            self._look_again(seen, server, deadline)

    def _start_with(self, driver):
        """Start nova-compute, anew where it runs already."""
        for compute in self.computes.values():
            compute.stop()
        self.COMPUTE_DRIVER = driver
        self.start_host()
        _tell(f'nova-compute runs with {driver}')

    def _boot_guest(self, guest):
        server = self.boot(
            {'os_type': guest.os_type}, guest.extra_specs, expected_state=None
        )
        seen = Seen(
            guest=guest,
            status=server['status'],
            fault=server.get('fault', {}).get('message', ''),
            lines=self.plugin_lines(server),
        )
        if seen.status == 'ACTIVE':
            seen.started_xml = self._live(server)
        self.SEEN.append(seen)
        _tell(f'{guest.name}: {seen.status} {seen.fault}')
        return server

    def _live(self, server):
        return etree.tostring(self.domain_xml(server), encoding='unicode')

    def _look_again(self, seen, server, deadline):
        if seen.status != 'ACTIVE':
            return
        seen.xml = self._live(server)
        log = pathlib.Path(seen.domain.find('devices/serial/log').get('file'))
        while True:
            seen.console = log.read_text('ascii', 'replace')
            is_whole = seen.console.rstrip().endswith('end')
            if is_whole or time.monotonic() > deadline:
                break
            time.sleep(_POLL_SECONDS)
        _tell(f'{seen.guest.name}: wrote {len(seen.console)} characters')


def see(virt_type, guests):
    """Boot guests, and return what was seen by name.

    :raises unittest.SkipTest: this machine cannot run them
    :raises AssertionError: Nova did not even come as far as to run them
    """
    _tell('Nova is imported')
    seen = []
    case = type(
        'Boots',
        (_Boots,),
        {'VIRT_TYPE': virt_type, 'GUESTS': guests, 'SEEN': seen},
    )
    result = unittest.TestResult()
    case().run(result)
    for _test, reason in result.skipped:
        raise unittest.SkipTest(reason)
    for _test, trace in result.errors + result.failures:
        raise AssertionError(trace)
    return {one.guest.name: one for one in seen}
