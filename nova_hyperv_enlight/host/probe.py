# SPDX-License-Identifier: Apache-2.0

"""Asks the sources of a host, once for each kind of guest."""

import collections.abc
import dataclasses
import logging
import threading
import typing

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.host import hostcaps
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.host import protocols

# oslo.log sets up the same loggers in nova-compute, and is a tenth of the time
# that a command takes to start.
LOG = logging.getLogger(__name__)

_Answer = typing.TypeVar('_Answer')


def split_version(number: int) -> model.Version:
    """Split libvirt's encoding of a release.

    :param number: major * 1,000,000 + minor * 1,000 + micro.
    """
    return number // 1000000, number // 1000 % 1000, number % 1000


def ask(
    connect: collections.abc.Callable[[], protocols.Connection],
    arch: str,
    machine: str | None,
    virt_type: str,
    kernel: kvm.KernelFacts,
) -> capabilities.Sources:
    """Ask libvirt about one kind of guest.

    Never raises for a question that cannot be asked: the answer to that one
    is then unknown, and ``unasked`` says why.

    :param connect: returns an open connection; domainCapabilities are
        refused on a read-only one.
    :param kernel: the facts of the kernel under that libvirt.
    """
    unasked = list(kernel.unasked)

    def answer(
        failed: str, question: collections.abc.Callable[[], _Answer]
    ) -> _Answer | None:
        try:
            return question()
        # libvirt.libvirtError is not named here: the package runs without
        # libvirt-python, and whatever goes wrong, a boot goes on.
        except Exception as err:
            why = exception.printable(str(err))
            unasked.append(f'{failed}: {why}')
            return None

    connection = answer('libvirt cannot be reached', connect)
    if connection is None:
        return capabilities.Sources(
            virt_type=virt_type,
            arch=arch,
            machine=machine,
            kernel=kernel,
            unasked=tuple(unasked),
        )

    # An image may have chosen the machine type.
    kind = f'machine type {machine}' if machine else 'default machine type'
    no_domcaps = exception.printable(
        f'libvirt returned no domain capabilities for {arch}/{virt_type} '
        f'({kind})'
    )

    def domcaps() -> domaincaps.DomainCapabilities:
        found = domaincaps.parse(
            connection.getDomainCapabilities(None, arch, machine, virt_type, 0)
        )
        if (found.arch, found.virt_type) != (arch, virt_type):
            raise exception.MalformedDocument(
                document="libvirt's answer",
                reason=f'it is about {found.arch} and {found.virt_type}',
            )
        return found

    tsc = (
        answer(
            "libvirt does not say the host's TSC frequency",
            lambda: hostcaps.tsc(connection.getCapabilities()),
        )
        or hostcaps.Tsc()
    )
    return capabilities.Sources(
        virt_type=virt_type,
        arch=arch,
        machine=machine,
        libvirt=answer(
            'libvirt does not say its release',
            lambda: split_version(connection.getLibVersion()),
        ),
        qemu=answer(
            "libvirt does not say QEMU's release",
            lambda: split_version(connection.getVersion()),
        ),
        domcaps=answer(no_domcaps, domcaps) or domaincaps.DomainCapabilities(),
        tsc_frequency=tsc.frequency,
        tsc_scaling=tsc.scaling,
        kernel=kernel,
        unasked=tuple(unasked),
    )


class Probe:
    """The capabilities of the host that a service runs on.

    Asks on first use and remembers for as long as libvirt and QEMU are of the
    same releases. Safe for threads: one of them asks, the others wait for the
    answer.

    :param connect: returns an open connection to the host's libvirt.
    :param kernel: asks the host's kernel.
    """

    def __init__(
        self,
        connect: collections.abc.Callable[[], protocols.Connection],
        kernel: collections.abc.Callable[[], kvm.KernelFacts],
    ) -> None:
        self._connect = connect
        self._ask_kernel = kernel
        self._kernel: kvm.KernelFacts | None = None
        self._known: dict[
            tuple[str, str | None, str], capabilities.HostCapabilities
        ] = {}
        self._unasked = _Warnings()
        self._away = _Warnings()
        self._not_shown: frozenset[str] = frozenset()
        self._lock = threading.Lock()

    def _is_current(self, known: capabilities.Sources) -> bool:
        """Whether libvirt and QEMU are still those that were asked.

        While libvirt cannot be reached, its last answers are used.
        """
        try:
            connection = self._connect()
            found = (
                split_version(connection.getLibVersion()),
                split_version(connection.getVersion()),
            )
        # As in ask(): whatever goes wrong, a boot goes on.
        except Exception as err:
            why = exception.printable(str(err))
            self._away.say(
                (
                    'libvirt did not return its releases, so its last '
                    f'answers are used: {why}',
                )
            )
            return True
        self._away.say(())
        if found == (known.libvirt, known.qemu):
            return True
        LOG.info(
            'Hyper-V enlightenments: libvirt %s and QEMU %s have become '
            'libvirt %s and QEMU %s: the host is asked again',
            *map(model.version_text, (known.libvirt, known.qemu, *found)),
        )
        return False

    def _conclude(
        self, arch: str, machine: str | None, virt_type: str
    ) -> capabilities.HostCapabilities:
        """Ask, under the lock."""
        if self._kernel is None:
            self._kernel = self._ask_kernel()
        sources = ask(self._connect, arch, machine, virt_type, self._kernel)
        self._unasked.say(sources.unasked)
        concluded = evaluation.evaluate(
            dataclasses.replace(sources, not_shown=self._not_shown)
        )
        # libvirt that fails now may answer at the next boot.
        if sources.unasked == self._kernel.unasked:
            self._known[arch, machine, virt_type] = concluded
        return concluded

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
            return evaluation.evaluate(
                capabilities.Sources(
                    virt_type=virt_type, arch=arch, machine=machine
                )
            )
        key = (arch, machine, virt_type)
        with self._lock:
            known = self._known.get(key)
        # Not under the lock: a slow libvirt does not block the others.
        if known is not None and self._is_current(known.sources):
            return known
        with self._lock:
            if known is not None and self._known.get(key) is known:
                # Unless another thread did so. A new kvm module may have
                # come with them.
                self._known.clear()
                self._kernel = None
            if key not in self._known:
                return self._conclude(*key)
            return self._known[key]

    def exclude(self, not_shown: frozenset[str]) -> None:
        """Count guests that were looked at among the sources from now on.

        :param not_shown: what they were given and are not shown.
        """
        with self._lock:
            self._not_shown = not_shown
            self._known.clear()


class _Warnings:
    """Says what is not known once, and again after it was known."""

    def __init__(self) -> None:
        self._made: frozenset[str] = frozenset()
        self._lock = threading.Lock()

    def say(self, sentences: tuple[str, ...]) -> None:
        """Log the sentences of questions that were not logged before."""
        questions = {_question(sentence): sentence for sentence in sentences}
        with self._lock:
            made, self._made = self._made, frozenset(questions)
        for question, sentence in questions.items():
            if question not in made:
                LOG.warning('Hyper-V enlightenments: %s', sentence)


def _question(sentence: str) -> str:
    """Return what was asked for: the reason differs, and the guest's kind."""
    return sentence.partition(': ')[0].partition(' for ')[0]
