# SPDX-License-Identifier: Apache-2.0
"""One host of a pair: its libvirtd, and what there is of guests."""

import collections.abc
import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess
import time
import typing
import uuid

import libvirt

from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.host import probe
from tests.lab import migrate_guest

_URI = 'qemu:///system'
# Only a lab has it: elsewhere the files below may be somebody's.
_LAB = pathlib.Path('/run/lab')
_ETC = pathlib.Path('/etc/libvirt')
_LOGS = pathlib.Path('/var/log/libvirt/qemu')
_DRIVER = 'libvirt_driver_qemu.so'
_START_SECONDS = 180.0
_POLL_SECONDS = 0.1
# linux/kvm.h
_KVM_CREATE_VM = 0xAE01
_KVM_CREATE_VCPU = 0xAE41
_KVM_GET_TSC_KHZ = 0xAEA3
# libvirt insists on its default user: see tests/real/embedded.py.
_USER = 'libvirt-qemu'
_QEMU_CONF = """
user = "root"
group = "root"
security_driver = "none"
stdio_handler = "file"
namespaces = []
cgroup_controllers = []
remember_owner = 0
"""
# A host that looks like the other one gets no guest from it, and labs have
# no identity of their own.
_DAEMON_CONF = f"""
listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
auth_unix_rw = "none"
auth_unix_ro = "none"
host_uuid = "{uuid.uuid4()}"
"""


class Host:
    """The host that this runs on.

    :ivar connection: to its libvirtd.
    """

    def __init__(self) -> None:
        if not _LAB.is_dir():
            raise RuntimeError('this is no lab')
        migrate_guest.PLACE.mkdir()
        migrate_guest.write_disks()
        _configure()
        self._daemon = _start()
        libvirt.registerErrorHandler(lambda *args: None, None)
        self.connection = self._connect()
        self._probe = probe.Probe(lambda: self.connection, kvm.ask)

    def _connect(self) -> typing.Any:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                return libvirt.open(_URI)
            except libvirt.libvirtError as err:
                ended = self._daemon.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise RuntimeError(
                        f'{err} ({_log().read_text()})'
                    ) from err
                time.sleep(_POLL_SECONDS)

    def capabilities(self) -> capabilities.HostCapabilities:
        """Return what it offers to the guests, as nova-compute asks it."""
        return self._probe.capabilities('x86_64', migrate_guest.MACHINE, 'kvm')

    def state(self) -> dict[str, list[str]]:
        """Return what there is of guests: it changes when one comes.

        QEMU's logs stay, also of a guest that could not be started.
        """
        domains = self.connection.listAllDomains()
        return {
            'domains': sorted(domain.name() for domain in domains),
            'logs': sorted(path.name for path in _LOGS.glob('*.log')),
            'processes': sorted(_processes()),
        }

    def log(self, name: str) -> str:
        """Return what libvirt and QEMU logged of a guest."""
        path = _LOGS / f'{name}.log'
        return path.read_text() if path.exists() else ''

    def written(self, name: str) -> str:
        """Return what a guest wrote while it was here."""
        path = migrate_guest.PLACE / f'{name}.serial'
        return path.read_text() if path.exists() else ''

    def document(self, name: str) -> str:
        """Return a guest's document."""
        document: str = self.connection.lookupByName(name).XMLDesc()
        return document

    def start(self, document: str) -> str:
        """Start a guest.

        :returns: why not, empty where it has started.
        """
        try:
            self.connection.createXML(document)
        except libvirt.libvirtError as err:
            return str(err)
        return ''

    def migrate(self, name: str, address: str) -> str:
        """Let a guest move, as Nova has it: libvirtd talks to libvirtd.

        :returns: why it has not, empty where it has.
        """
        try:
            self.connection.lookupByName(name).migrateToURI3(
                f'qemu+tcp://{address}/system',
                {libvirt.VIR_MIGRATE_PARAM_URI: f'tcp://{address}'},
                libvirt.VIR_MIGRATE_LIVE | libvirt.VIR_MIGRATE_PEER2PEER,
            )
        except libvirt.libvirtError as err:
            return str(err)
        return ''

    def remove(self, name: str) -> None:
        """Destroy a guest, if it is here."""
        for domain in self.connection.listAllDomains():
            if domain.name() == name:
                domain.destroy()

    def close(self) -> None:
        """Destroy all guests and end libvirtd."""
        for domain in self.connection.listAllDomains():
            domain.destroy()
        self.connection.close()
        self._daemon.terminate()
        self._daemon.wait()


def sent() -> int:
    """Return how many bytes have left by the link to the other host."""
    path = pathlib.Path('/sys/class/net/eth0/statistics/tx_bytes')
    return int(path.read_text())


def tsc_frequency() -> int:
    """Return this host's TSC frequency in Hz, as KVM has it.

    libvirt tells it only of processors with an invariant TSC, which TCG's
    are not.
    """
    with contextlib.ExitStack() as stack:
        device = os.open('/dev/kvm', os.O_RDWR | os.O_CLOEXEC)
        for request in (_KVM_CREATE_VM, _KVM_CREATE_VCPU):
            stack.callback(os.close, device)
            device = fcntl.ioctl(device, request, 0)
        stack.callback(os.close, device)
        return fcntl.ioctl(device, _KVM_GET_TSC_KHZ, 0) * 1000


def _log() -> pathlib.Path:
    return migrate_guest.PLACE / 'libvirtd.log'


def _configure() -> None:
    _ETC.mkdir(parents=True, exist_ok=True)
    (_ETC / 'qemu.conf').write_text(_QEMU_CONF)
    (_ETC / 'libvirtd.conf').write_text(_DAEMON_CONF)
    for name, line in (
        ('passwd', f'{_USER}:x:0:0::/:/bin/false'),
        ('group', f'{_USER}:x:0:'),
    ):
        with open(f'/etc/{name}', 'a') as stream:
            stream.write(f'{line}\n')
    # Each of the others takes seconds to start here.
    found = next(pathlib.Path('/usr').glob(f'lib*/**/{_DRIVER}'))
    (migrate_guest.PLACE / _DRIVER).symlink_to(found)


def _start() -> subprocess.Popen[bytes]:
    program = shutil.which('libvirtd', path='/usr/sbin:/usr/bin')
    if program is None:
        raise RuntimeError('there is no libvirtd')
    with open(_log(), 'wb') as log:
        return subprocess.Popen(
            [program, '--listen'],
            env={
                'PATH': '/usr/sbin:/usr/bin:/sbin:/bin',
                'LIBVIRT_DRIVER_DIR': str(migrate_guest.PLACE),
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _processes() -> collections.abc.Iterator[str]:
    """The names of the guests that have a QEMU process."""
    for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        try:
            words = path.read_bytes().decode(errors='replace').split('\0')
        except OSError:
            continue
        for word in words:
            if word.startswith('guest='):
                yield word.removeprefix('guest=').partition(',')[0]
