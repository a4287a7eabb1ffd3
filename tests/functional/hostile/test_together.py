# SPDX-License-Identifier: Apache-2.0

"""64 builds at once on one compute."""

import importlib.metadata
import subprocess
import sys
import threading

from lxml import etree

from tests.fixtures import nova
from tests.functional import base
from tests.functional import guest
from tests.unit.hostile import tenants

COUNT = 64
OFFERED = (*sorted(guest.BASELINE - {'stimer.direct'}), 'vendor_id')
#: One of each kind, some of them refused.
KINDS = (
    {'os_type': 'windows'},
    {'os_type': 'windows', 'hyperv_enlight_stimer': 'off'},
    {'os_type': 'windows', 'hyperv_enlight_spinlocks_retries': '4095'},
    {'os_type': 'windows', 'hyperv_enlight_profile': 'minimal'},
    {'os_type': 'windows', 'hw_machine_type': 'q35'},
    {'os_type': 'windows', 'hyperv_enlight_profile': 'none'},
    {'os_type': 'windows', 'hyperv_enlight_ipi': 'maybe'},
    {'os_type': 'linux'},
)
_EVENTLET = """
import eventlet
eventlet.monkey_patch()
from tests.unit.host import connection, samples
from nova_hyperv_enlight.host import probe
libvirt = connection.Connection()
real = libvirt.getDomainCapabilities
def late(*args):
    eventlet.sleep(0.2)
    return real(*args)
libvirt.getDomainCapabilities = late
asked = probe.Probe(lambda: libvirt, lambda: samples.LAB_KERNEL)
pool = eventlet.GreenPool(64)
kind = ('x86_64', 'q35', 'kvm')
found = set(map(id, pool.imap(lambda _: asked.capabilities(*kind), range(64))))
names = [call[0] for call in libvirt.calls]
print(len(found), names.count('getDomainCapabilities'))
"""


class TogetherTestCase(guest.GuestTestCase):
    def setUp(self):
        super().setUp()
        self.kernel = self.useFixture(guest.Kernel(guest.AMD))
        self.start_host(base.hyperv_document(*OFFERED))

    def build(self, driver, arguments):
        """Return what becomes of a guest, or what it is refused for."""
        try:
            config = driver._get_guest_config(*arguments, context=self.context)
        except Exception as err:
            return f'{type(err).__name__}: {err}', None
        instance = arguments[0]
        return (
            nova.timeless(config.to_xml()),
            instance.system_metadata.get('hyperv_enlight'),
        )

    def test_at_once(self):
        calls = self.useFixture(
            base.DomainCapabilities(base.hyperv_document(*OFFERED))
        ).calls
        alone = self.driver()
        guests = [KINDS[n % len(KINDS)] for n in range(COUNT)]
        expected = [self.build(alone, self.arguments(each)) for each in guests]
        calls.clear()
        together = self.driver()
        # Nova does so when it starts: its own cache is not safe for threads.
        together._host.get_capabilities()
        arguments = [self.arguments(each) for each in guests]
        start, found = threading.Barrier(COUNT), [None] * COUNT

        def work(number):
            start.wait(30)
            found[number] = self.build(together, arguments[number])

        threads = [
            threading.Thread(target=work, args=[number], daemon=True)
            for number in range(COUNT)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        self.assertEqual(expected, found)
        # One probe for each machine type, though all came at once.
        ours = [call[2] for call in calls if call[2] in ('pc', 'q35')]
        self.assertEqual(['pc', 'q35'], sorted(ours))
        self.assertEqual(len(KINDS), len(set(expected)))
        refused = [text for text, _ in found if 'InvalidInput' in text]
        self.assertEqual(COUNT // len(KINDS), len(refused))

    def test_green_threads(self):
        # Nova 33 and older run on eventlet.
        # Nova on native threads lets nobody import it here.
        try:
            importlib.metadata.version('eventlet')
        except importlib.metadata.PackageNotFoundError:
            self.skipTest('eventlet is not installed')
        done = subprocess.run(
            [sys.executable, '-W', 'ignore', '-c', _EVENTLET],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual('1 1', done.stdout.strip(), done.stderr)


class XmlTestCase(guest.GuestTestCase):
    """What tenants write never stands in the XML that the plugin makes."""

    def test_values(self):
        self.start_host(base.hyperv_document(*OFFERED))
        driver = self.driver()
        plain = self.config(driver, {'os_type': 'windows'})
        features = etree.tostring(plain.format_dom().find('features'))
        for value in tenants.VALUES:
            for key in ('hyperv_enlight', 'HYPERV_ENLIGHT_STIMER', 'hv', 'x'):
                config = self.config(
                    driver, {'os_type': 'windows', key: value}
                )
                found = etree.tostring(config.format_dom().find('features'))
                self.assertEqual(features, found)
