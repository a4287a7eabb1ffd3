# SPDX-License-Identifier: Apache-2.0

"""Looks at each enlightenment alone: what a host's guests can be shown."""

import collections.abc
import concurrent.futures
import threading
import time

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.catalogue import tlfs
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.guest import boot
from nova_hyperv_enlight.guest import probe_domain
from nova_hyperv_enlight.guest import verify
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.host import protocols

_CATALOGUE = enlightenments.ENLIGHTENMENTS
# QEMU puts a value into the Hyper-V leaves, and shows these only where
# something else is on too: hyperv_enabled() in target/i386/kvm/kvm.c.
_CARRIER = 'relaxed'
#: How many guests there are at a time. Most of what each takes is waiting.
_GUESTS = 4

#: Starts a guest with a set, and returns what it read.
Boot = collections.abc.Callable[[selections.Selection], kvm.Leaves]


def alone(name: str, vendor: model.Vendor | None) -> selections.Selection:
    """Return one enlightenment with what it requires, and its default value.

    :param name: the enlightenment.
    :param vendor: the vendor of the host's processor.
    """
    wanted = [name] if _CATALOGUE[name].cpuid else [name, _CARRIER]
    features = graph.closure(wanted, vendor)
    return selections.Selection(
        features=features,
        values=frozenset(
            (entry.value_name, entry.value.default)
            for entry in map(_CATALOGUE.__getitem__, features)
            if entry.value is not None and entry.value_name is not None
        ),
    )


def boots(
    connection: protocols.Connection,
    conditions: boot.Conditions,
    *,
    virt_type: str,
    arch: str,
    machine: str | None,
) -> Boot:
    """Return what starts guests of one kind.

    :param connection: to the libvirt of this machine.
    :param conditions: what each boot is bound to.
    :param virt_type: ``kvm`` or ``qemu``.
    :param arch: the guests' architecture.
    :param machine: their machine type, None for libvirt's default.
    """

    def boot_one(selection: selections.Selection) -> kvm.Leaves:
        question = probe_domain.from_selection(
            selection, virt_type=virt_type, arch=arch, machine=machine
        )
        return boot.boot(connection, question, conditions)

    return boot_one


def _find(
    boot_one: Boot, name: str, selection: selections.Selection
) -> verify.Observation:
    """Look at one enlightenment."""
    entry = _CATALOGUE[name]
    shown, text = verify.Shown.NO_GUEST, ''
    try:
        leaves = boot_one(selection)
        value = None if entry.value is None else entry.value.default
        shown = verify.look(leaves, name, value)
    except exception.GuestFailed as err:
        text = err.reason
        if not err.refused:
            shown = verify.Shown.NO_REPORT
    return verify.Observation(
        name=name,
        asked=verify.Asked.YES,
        shown=shown,
        leaf=verify.location(entry),
        text=text,
    )


def _collect(
    futures: list[concurrent.futures.Future[verify.Observation]],
    seconds: float,
    tell: collections.abc.Callable[[int], None],
) -> dict[str, verify.Observation]:
    found: dict[str, verify.Observation] = {}
    try:
        for future in concurrent.futures.as_completed(futures, seconds):
            finding = future.result()
            found[finding.name] = finding
            tell(len(found))
    # Another one than the built-in before Python 3.11.
    except concurrent.futures.TimeoutError as err:
        raise exception.GuestFailed(
            reason=(
                f'the time is over, and only {len(found)} of {len(futures)} '
                'enlightenments have been looked at'
            )
        ) from err
    return found


def look(
    boot_one: Boot,
    vendor: model.Vendor | None,
    *,
    seconds: float,
    stop: threading.Event,
    tell: collections.abc.Callable[[int], None] = lambda done: None,
) -> tuple[verify.Observation, ...]:
    """Look at each enlightenment alone.

    A guest without any goes first: where that one does not start either,
    nothing is the enlightenments' fault.

    :param boot_one: see :func:`boots`; it is called from several threads.
    :param vendor: the vendor of the host's processor.
    :param seconds: how long it may take.
    :param stop: what stops the guests; it is set when something is wrong.
    :param tell: is told how many have been looked at.
    :returns: a finding for every name of the catalogue, in its order.
    :raises GuestFailed: not even the guest without any can be read, or the
        time is over.
    :raises Interrupted: it was told to stop.
    """
    begin = time.monotonic()
    boot_one(selections.Selection())
    pool = concurrent.futures.ThreadPoolExecutor(_GUESTS)
    try:
        futures = [
            pool.submit(_find, boot_one, name, alone(name, vendor))
            for name in _CATALOGUE
        ]
        left = max(0.0, begin + seconds - time.monotonic())
        found = _collect(futures, left, tell)
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return tuple(found[name] for name in _CATALOGUE)


def not_shown(
    findings: collections.abc.Iterable[verify.Observation],
) -> frozenset[str]:
    """Return the names that a guest was given and is not shown."""
    return frozenset(
        found.name
        for found in findings
        if found.shown in (verify.Shown.NO, verify.Shown.NO_GUEST)
    )


def disagreements(
    findings: collections.abc.Iterable[verify.Observation],
    supported: kvm.Leaves | None,
) -> list[str]:
    """Say where the kernel and a guest do not say the same.

    :param findings: what guests were shown.
    :param supported: what the kernel says that it supports, None where it
        was not asked.
    """
    sentences = []
    for finding in findings:
        entry = _CATALOGUE[finding.name]
        shown = {verify.Shown.YES: True, verify.Shown.NO: False}.get(
            finding.shown
        )
        if supported is None or shown is None or not entry.cpuid:
            continue
        says = all(
            supported.get(bits.leaf, {}).get(bits.register, 0) & bits.bits
            == bits.bits
            for bits in entry.cpuid
        )
        if says is not shown:
            names = ' '.join(
                tlfs.name_bits(bits.leaf, bits.register, bits.bits)
                for bits in entry.cpuid
            )
            sentences.append(
                f'{finding.name}: /dev/kvm says that KVM '
                f'{"supports" if says else "does not support"} {names}, and '
                f'a guest is {"" if shown else "not "}shown it'
            )
    return sentences
