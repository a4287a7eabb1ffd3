# SPDX-License-Identifier: Apache-2.0
"""A whole Nova on a real libvirt, with real QEMU processes."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import fixtures
from lxml import etree
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional import integrated_helpers
from nova.virt.libvirt import utils as libvirt_utils

from nova_hyperv_enlight.guest import cpuid
from tests.fixtures import nova
from tests.fixtures import server
from tests.real import cases
from tests.real import embedded
from tests.real import kvm


_DISK_BYTES = 64 << 20
# Nova's tests let each idle worker thread look for work 100 times a second,
# so that services stop at once. Dozens of them are half of an emulated
# machine's time.
_IDLE_FOR = 'futurist._thread.ThreadWorker.MAX_IDLE_FOR'
_IDLE_SECONDS = 0.5


def _create_image(driver, context, instance, *args, **kwargs):
    """Stands in for Nova's way to a root disk, which needs a real Glance.

    The disk starts with the probe that writes the guest's CPUID leaves to its
    console; then it halts, which costs the host nothing.
    """
    directory = pathlib.Path(libvirt_utils.get_instance_path(instance))
    directory.mkdir(parents=True)
    raw = directory / 'disk.raw'
    raw.write_bytes(cpuid.boot_sector())
    os.truncate(raw, _DISK_BYTES)
    subprocess.run(
        ['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw]
        + [directory / 'disk'],
        check=True,
    )
    raw.unlink()
    return True, True


class RealTestCase(server.ServerMixin, integrated_helpers._IntegratedTestBase):
    """API, scheduler, conductor, compute and placement in this process.

    See ``ServerMixin`` for what a test may set and call. OS_TEST_TIMEOUT
    stretches what Nova waits for, too.

    :cvar CPU_MODE: ``[libvirt] cpu_mode``; the default is what every machine
        can deliver: host-model dies on some nested hosts, where QEMU fails to
        set an MSR that KVM offers
    """

    # Casts stay casts, so that a failed build is a server in ERROR and not an
    # error of the API.
    CAST_AS_CALL = False
    CPU_MODE = 'none'

    def setUp(self):
        if kvm.unexpected():
            self.fail(kvm.unexpected())
        cases.require(self, self._missing())
        self._embedded = embedded.get()
        self._configure()
        fakelibvirt.disable_event_thread(self)  # there is one already
        self.useFixture(
            fixtures.MonkeyPatch('libvirt.openAuth', self._share_connection)
        )
        super().setUp()
        self.useFixture(fixtures.MonkeyPatch(_IDLE_FOR, _IDLE_SECONDS))
        self.flags(rpc_response_timeout=int(server.WAIT_SECONDS))
        self.useFixture(nova.RealHost())
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.virt.libvirt.driver.LibvirtDriver._create_image',
                _create_image,
            )
        )
        self._guest_xml = self.useFixture(nova.GuestXML())
        self.addCleanup(self._embedded.clear)

    def _missing(self):
        if self.COMPUTE_DRIVER == nova.PLUGIN_DRIVER and nova.plugin_missing():
            return nova.plugin_missing()
        try:
            embedded.get()
        except embedded.Unavailable as err:
            return str(err)
        if self.VIRT_TYPE == 'kvm' and kvm.missing():
            # the one thing that no CI can be made to have
            self.skipTest(kvm.missing())
        return None

    def _configure(self):
        instances = tempfile.mkdtemp(dir=self._embedded.root)
        self.addCleanup(shutil.rmtree, instances, ignore_errors=True)
        self.flags(instances_path=instances, reserved_host_memory_mb=0)
        self.flags(
            connection_uri=self._embedded.uri,
            cpu_mode=self.CPU_MODE,
            group='libvirt',
        )
        # a port of the machine that parallel workers would fight for
        self.flags(enabled=False, group='vnc')

    def _share_connection(self, uri, auth, flags):
        # libvirt has places for some twenty in a process: see Borrowed.
        self.assertEqual((self._embedded.uri, 0), (uri, flags))
        return self._embedded.connection

    def _setup_compute_service(self):
        """Wait for ``start_host``: a test may have more to configure."""

    def start_host(self):
        """Start nova-compute."""
        with self.starting():
            self.compute = self.start_service('compute')
        self.computes[self.compute.host] = self.compute

    def domain_xml(self, server):
        """The running domain as an element."""
        domain = self._embedded.connection.lookupByUUIDString(server['id'])
        return etree.fromstring(domain.XMLDesc(0))

    def qemu_version(self):
        """The release of the QEMU that libvirt runs, as (major, minor)."""
        number = self._embedded.connection.getVersion()
        return number // 1000000, number // 1000 % 1000
