# SPDX-License-Identifier: Apache-2.0
"""What machine the lab shall be."""

import dataclasses
import enum
import ipaddress
import platform
import re

from tests.lab import exception

# module.parameter=value, as on a kernel command line
_PARAM = re.compile(r'(kvm|kvm_amd)\.(\w+=[\w,+-]+)', re.ASCII)
# With less, Nova's own processes alone fill it.
_MIN_MEMORY_MIB = 512
_HOSTNAME = re.compile(r'[a-z][a-z0-9-]{,62}', re.ASCII)

_SUITE = re.compile(r'[a-z]+', re.ASCII)


class KvmDevice(enum.Enum):
    """What becomes of /dev/kvm inside."""

    USABLE = 'usable'
    # There, but opening it gives EACCES, to root too.
    DENIED = 'denied'
    # No vendor module is loaded, as on a host without virtualization.
    ABSENT = 'absent'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LabSpec:
    """A machine.

    :ivar cpus: how many processors it has. A second one saves no time: what
        runs inside is Python, whose threads then wait for each other. And
        Linux 6.12 has panicked with two, after an int3: QEMU's emulator ran
        what the kernel had patched meanwhile on the other processor.
    :ivar memory_mib: its memory; nine tenths of it at most are the disk.
    :ivar cpu_model: for QEMU's -cpu. TCG has no VMX: AMD only.
    :ivar module_params: parameters of kvm and kvm_amd, in the words of the
        kernel's command line: 'kvm_amd.avic=0'. The last one counts.
    :ivar kvm_device: whether /dev/kvm can be opened inside.
    :ivar host: the release of Debian whose libvirt, QEMU, kernel and Python
        it has, as 'trixie'; None, and this machine's own release, for the
        file system of this machine.
    :ivar kernel_package: the Debian package of its kernel.
    :ivar hostname: what it is called.
    :ivar address: its IPv4 address on the link to another lab, in a network
        of 24 bits; None where it has no link.
    """

    cpus: int = 1
    memory_mib: int = 4096
    cpu_model: str = 'EPYC,+svm,+npt'
    module_params: tuple[str, ...] = ()
    kvm_device: KvmDevice = KvmDevice.USABLE
    host: str | None = None
    kernel_package: str = 'linux-image-amd64'
    hostname: str = 'lab'
    address: str | None = None

    def __post_init__(self) -> None:
        """Refuse what the machine would only stumble over.

        :raises: InvalidSpec.
        """
        for param in self.module_params:
            if not _PARAM.fullmatch(param):
                raise exception.InvalidSpec(
                    reason=f"'{param}' is not kvm.NAME=VALUE or "
                    'kvm_amd.NAME=VALUE'
                )
        if self.cpus < 1 or self.memory_mib < _MIN_MEMORY_MIB:
            raise exception.InvalidSpec(
                reason=f'it takes one processor and {_MIN_MEMORY_MIB} MiB '
                'at least'
            )
        if self.host is not None and not _SUITE.fullmatch(self.host):
            raise exception.InvalidSpec(
                reason=f"'{self.host}' is no release of Debian, as 'trixie'"
            )
        if not _HOSTNAME.fullmatch(self.hostname):
            raise exception.InvalidSpec(
                reason=f"'{self.hostname}' is no host name"
            )
        if self.address is not None:
            self._check_address(self.address)

    @staticmethod
    def _check_address(address: str) -> None:
        try:
            ipaddress.IPv4Address(address)
        except ValueError as err:
            raise exception.InvalidSpec(reason=str(err)) from err

    @property
    def suite(self) -> str | None:
        """The release of Debian to unpack; None for this machine's files."""
        own = platform.freedesktop_os_release().get('VERSION_CODENAME')
        return None if self.host == own else self.host

    def params_of(self, module: str) -> str:
        """Say what to load a module with, for the init script."""
        asked = ('kvm_amd.nested=1', *self.module_params)
        matches = [_PARAM.fullmatch(param) for param in asked]
        return ' '.join(
            match[2] for match in matches if match and match[1] == module
        )
