# SPDX-License-Identifier: Apache-2.0

"""Asks the witnesses of a host, once for each kind of guest."""

import collections.abc
import dataclasses
import threading
import typing

from oslo_log import log as logging

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.host import hostcaps
from nova_hyperv_enlight.host import kvm

LOG = logging.getLogger(__name__)

_Answer = typing.TypeVar('_Answer')


class Connection(typing.Protocol):
    """The calls of libvirt's virConnect that a probe makes."""

    def getDomainCapabilities(
        self,
        emulatorbin: str | None,
        arch: str | None,
        machine: str | None,
        virttype: str | None,
        flags: int = 0,
    ) -> str:
        """Return the domainCapabilities document."""

    def getLibVersion(self) -> int:
        """Return libvirt's release."""

    def getVersion(self) -> int:
        """Return the hypervisor's release."""

    def getCapabilities(self) -> str:
        """Return the document of the host's capabilities."""


def split_version(number: int) -> model.Version:
    """Split libvirt's encoding of a release.

    :param number: major * 1,000,000 + minor * 1,000 + micro.
    """
    return number // 1000000, number // 1000 % 1000, number % 1000


def ask(
    connect: collections.abc.Callable[[], Connection],
    arch: str,
    machine: str | None,
    virt_type: str,
    kernel: kvm.KernelFacts,
) -> capabilities.Witnesses:
    """Ask libvirt about one kind of guest.

    Never raises for a question that cannot be asked: the answer to that one
    is then unknown, and why stands in ``unasked``.

    :param connect: returns an open connection; domainCapabilities are
        refused on a read-only one.
    :param kernel: the facts of the kernel under that libvirt.
    """
    unasked = list(kernel.unasked)

    def answer(
        what: str, question: collections.abc.Callable[[], _Answer]
    ) -> _Answer | None:
        try:
            return question()
        # libvirt.libvirtError is not named here: the package runs without
        # libvirt-python, and whatever goes wrong, a boot goes on.
        except Exception as err:
            unasked.append(f'{what} cannot be had: {err}')
            return None

    connection = answer('a connection to libvirt', connect)
    if connection is None:
        return capabilities.Witnesses(
            virt_type=virt_type,
            arch=arch,
            machine=machine,
            kernel=kernel,
            unasked=tuple(unasked),
        )

    def domcaps() -> domaincaps.DomainCapabilities:
        return domaincaps.parse(
            connection.getDomainCapabilities(None, arch, machine, virt_type, 0)
        )

    wanted = f'domainCapabilities of {arch} {machine} {virt_type}'
    return capabilities.Witnesses(
        virt_type=virt_type,
        arch=arch,
        machine=machine,
        libvirt=answer(
            "libvirt's release",
            lambda: split_version(connection.getLibVersion()),
        ),
        qemu=answer(
            "QEMU's release", lambda: split_version(connection.getVersion())
        ),
        domcaps=answer(wanted, domcaps) or domaincaps.DomainCapabilities(),
        tsc_frequency=answer(
            "the host's TSC frequency",
            lambda: hostcaps.tsc_frequency(connection.getCapabilities()),
        ),
        kernel=kernel,
        unasked=tuple(unasked),
    )


class Probe:
    """The capabilities of the host that a service runs on.

    Asks on first use and remembers for the life of the service. Safe for
    threads: one of them asks, the others wait for the answer.

    :param connect: returns an open connection to the host's libvirt.
    :param kernel: asks the host's kernel.
    """

    def __init__(
        self,
        connect: collections.abc.Callable[[], Connection],
        kernel: collections.abc.Callable[[], kvm.KernelFacts],
    ) -> None:
        self._connect = connect
        self._ask_kernel = kernel
        self._kernel: kvm.KernelFacts | None = None
        self._known: dict[
            tuple[str, str | None, str], capabilities.HostCapabilities
        ] = {}
        self._logged: set[str] = set()
        self._not_shown: frozenset[str] = frozenset()
        self._lock = threading.Lock()

    def capabilities(
        self, arch: str, machine: str | None, virt_type: str
    ) -> capabilities.HostCapabilities:
        """Return what the host offers to one kind of guest.

        :param arch: the guest's architecture.
        :param machine: its machine type, None for libvirt's default.
        :param virt_type: ``kvm``, ``qemu``...
        """
        if virt_type != 'kvm':
            # Nobody need be asked: Hyper-V is emulated by KVM alone.
            return capabilities.conclude(
                capabilities.Witnesses(
                    virt_type=virt_type, arch=arch, machine=machine
                )
            )
        key = (arch, machine, virt_type)
        with self._lock:
            if key in self._known:
                return self._known[key]
            if self._kernel is None:
                self._kernel = self._ask_kernel()
            witnesses = ask(
                self._connect, arch, machine, virt_type, self._kernel
            )
            self._log(witnesses.unasked)
            concluded = capabilities.conclude(
                dataclasses.replace(witnesses, not_shown=self._not_shown)
            )
            # libvirt that fails now may answer at the next boot.
            if witnesses.unasked == self._kernel.unasked:
                self._known[key] = concluded
            return concluded

    def heed(self, not_shown: frozenset[str]) -> None:
        """Let guests that were looked at be witnesses from now on.

        :param not_shown: what they were given and are not shown.
        """
        with self._lock:
            self._not_shown = not_shown
            self._known.clear()

    def _log(self, unasked: tuple[str, ...]) -> None:
        for sentence in unasked:
            if sentence not in self._logged:
                self._logged.add(sentence)
                LOG.warning('Hyper-V enlightenments: %s', sentence)
