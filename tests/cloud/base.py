# SPDX-License-Identifier: Apache-2.0
"""What the tests in the cloud share: an operator's and a user's hands."""

import contextlib
import functools
import os
import pathlib
import runpy
import time

import libvirt
from lxml import etree
import pymysql
import testtools
from testtools import content

from nova_hyperv_enlight import exception as plugin_exception
from nova_hyperv_enlight.guest import cpuid
from tests.cloud import backing
from tests.cloud import cloud
from tests.cloud import place

_KVM = pathlib.Path(__file__).parents[1] / 'real' / 'kvm.py'
_POLL_SECONDS = 0.5
_SHOWN_CHARACTERS = 20000
#: What Nova gives a Windows guest, its hypervclock beside it.
STOCK = {
    'frequencies',
    'ipi',
    'relaxed',
    'reset',
    'runtime',
    'spinlocks',
    'synic',
    'tlbflush',
    'vapic',
    'vpindex',
}
#: What the plugin gives it where the host can deliver all of it.
BASELINE = STOCK | {'hypervclock', 'stimer'}


@functools.cache
def kvm_has_hyperv() -> bool:
    """Return whether this machine's KVM can pass itself off as Hyper-V."""
    # By its path: the package around it imports Nova's own tests.
    asked = runpy.run_path(str(_KVM))
    return bool(asked['emulates_hyperv']())


def stock_state() -> str:
    """Return what becomes of a Windows server under stock Nova here."""
    return 'ACTIVE' if kvm_has_hyperv() else 'ERROR'


def wait_seconds() -> float:
    """Return how long something may take that takes seconds."""
    return 0.5 * float(os.environ.get('OS_TEST_TIMEOUT') or 300)


class CloudTestCase(testtools.TestCase):
    """One cloud for all; each test leaves the plugin on, as it found it."""

    def setUp(self) -> None:
        super().setUp()
        if place.VARIABLE not in os.environ:
            self.skipTest('not in a cloud: python -m tests.cloud -- ...')
        self.cloud = cloud.Cloud.find()
        self.client = self.cloud.client
        self.addOnException(self._attach_logs)

    def _attach_logs(self, _: object) -> None:
        """Keep the logs: the cloud is gone when the failure is read."""
        for name in ('nova-compute', 'nova-conductor', 'nova-scheduler'):
            text = self.cloud.place.log(name).read_text(errors='replace')
            self.addDetail(
                name, content.text_content(text[-_SHOWN_CHARACTERS:])
            )

    def boot(self, os_type, expected='ACTIVE'):
        """Boot a server and wait for its state."""
        compute = self.client.compute
        server = compute.create_server(
            name=f'{self._testMethodName}-{os_type}',
            image_id=self.client.image.find_image(os_type).id,
            flavor_id=compute.find_flavor(cloud.FLAVOR).id,
            networks='none',
        )
        self.addCleanup(self._delete, server)
        return self.wait_for(server, expected)

    def _delete(self, server):
        self.client.compute.delete_server(server)
        self.client.compute.wait_for_delete(server, wait=wait_seconds())

    def wait_for(self, server, expected):
        """Wait until nothing is being done to a server.

        :param expected: its state then.
        """
        deadline = time.monotonic() + wait_seconds()
        while time.monotonic() < deadline:
            server = self.client.compute.get_server(server.id)
            # The fault is written a moment after the state.
            settled = server.fault or server.status != 'ERROR'
            if settled and not server.task_state and server.status != 'BUILD':
                break
            time.sleep(_POLL_SECONDS)
        if server.status != expected:
            self.fail(
                f'{server.name} is {server.status} ({server.task_state}), '
                f'not {expected}: {server.fault}'
            )
        return server

    def hard_reboot(self, server, expected='ACTIVE'):
        """Reboot a server the hard way, which makes its domain anew."""
        self.client.compute.reboot_server(server, 'HARD')
        return self.wait_for(server, expected)

    def reboot_as_stock(self, server):
        """Hard reboot a Windows server, which gets Nova's own list."""
        self.hard_reboot(server, stock_state())
        if kvm_has_hyperv():
            self.assertEqual(
                STOCK | {'hypervclock'}, self.enlightenments(server)
            )

    def record(self, server):
        """Return the record of a server as the database has it, or None."""
        address = self.cloud.place
        connection = pymysql.connect(
            host=place.ADDRESS,
            port=address.port('mariadb'),
            user='cloud',
            password=address.password,
            database='nova',
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(
                'SELECT value FROM instance_system_metadata WHERE '
                'instance_uuid = %s AND `key` = %s AND deleted = 0',
                (server.id, 'hyperv_enlight'),
            )
            row = cursor.fetchone()
        return row and row[0]

    @contextlib.contextmanager
    def _domain(self, server):
        connection = libvirt.open(backing.libvirt_uri(self.cloud.place))
        try:
            yield connection.lookupByUUIDString(server.id)
        finally:
            connection.close()

    def enlightenments(self, server):
        """Return the names in a server's domain, hypervclock among them."""
        with self._domain(server) as domain:
            root = etree.fromstring(domain.XMLDesc())
        names = {
            element.tag
            for element in root.iterfind('features/hyperv/*')
            if element.get('state') == 'on'
        }
        if root.find("clock/timer[@name='hypervclock']") is not None:
            names.add('hypervclock')
        return names

    def sees_hyperv(self, server):
        """Return whether the guest itself has seen Hyper-V when it began."""
        compute = self.client.compute
        deadline = time.monotonic() + wait_seconds()
        while True:
            output = compute.get_server_console_output(server)['output']
            try:
                return cpuid.shows_hyperv(cpuid.parse(output))
            except plugin_exception.MalformedDocument:
                if time.monotonic() > deadline:
                    raise
            time.sleep(_POLL_SECONDS)

    def process(self, server):
        """Return what tells a run of a guest from the run before."""
        with self._domain(server) as domain:
            return domain.ID()
