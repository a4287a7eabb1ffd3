# SPDX-License-Identifier: Apache-2.0

"""How often the running guests of a connection exit, and for what.

KVM counts it and libvirt tells it, for all guests in one call:
``vcpu.<num>.<counter>.sum`` of virConnectGetAllDomainStats, from libvirt 8.9
and QEMU 7.1 on (docs/manpages/virsh.rst in libvirt, query-stats in QEMU).
Guests are only read.
"""

import collections.abc
import dataclasses
import re
import time
import typing

from nova_hyperv_enlight.catalogue import exits
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.domains import recognition
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import probe
from nova_hyperv_enlight.host import protocols

#: libvirt's VIR_DOMAIN_STATS_VCPU:
#: https://libvirt.org/html/libvirt-libvirt-domain.html
_VCPU = 1 << 3
#: VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE and _NOWAIT: of guests that run,
#: without waiting for one that is busy with another job.
_FLAGS = 1 << 0 | 1 << 29
_MIN_LIBVIRT = (8, 9, 0)
_MIN_QEMU = (7, 1, 0)

#: All exits of a vCPU; the kinds are a part of them.
ALL = 'exits'
#: The kinds of exits, by KVM's names: Linux arch/x86/kvm/x86.c,
#: kvm_vcpu_stats_desc.
KINDS = ('halt_exits', 'irq_exits', 'io_exits', 'mmio_exits', 'hypercalls')
#: What is left of all exits: MSRs, CPUID, page faults, the APIC...
OTHER = 'other'
#: How often the vCPU ran a guest of its own.
_NESTED = 'nested_run'
_READ = (ALL, *KINDS, 'irq_injections', _NESTED)
_KEY = re.compile(rf'vcpu\.([0-9]+)\.({"|".join(_READ)})\.sum')

_Counters = dict[int, dict[str, int]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The counters of guests at one time.

    :ivar seconds: when, by a clock that only runs forward.
    :ivar guests: each guest by its UUID, with what libvirt said of it.
    """

    seconds: float
    guests: typing.Mapping[str, tuple[protocols.Domain, _Counters]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What an enlightenment that is off would save.

    :ivar name: the enlightenment.
    :ivar exits: how many exits a second and vCPU, at most.
    """

    name: str
    exits: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was counted of one guest.

    :ivar domain: its name.
    :ivar vcpus: how many of its vCPUs were counted.
    :ivar rates: exits a second and vCPU, by their kind, :data:`ALL` and
        :data:`OTHER`; empty where they are not known.
    :ivar hypervisor: whether it has run guests of its own since it was
        started; None where that is not known.
    :ivar saved: what would save exits, where it is a Windows guest.
    :ivar text: why something is not known, a sentence.
    """

    domain: str
    vcpus: int = 0
    rates: typing.Mapping[str, float] = dataclasses.field(default_factory=dict)
    hypervisor: bool | None = None
    saved: tuple[Saved, ...] = ()
    text: str = ''

    @property
    def cost(self) -> float:
        """Exits of the whole guest in a second; -1 where not known."""
        return self.vcpus * self.rates[ALL] if self.rates else -1.0


def check(connection: protocols.Connection) -> None:
    """Refuse a libvirt that is too old to tell.

    :raises InvalidRequest: with the release that is needed.
    """
    found = probe.split_version(connection.getLibVersion())
    if found < _MIN_LIBVIRT:
        raise exception.InvalidRequest(
            reason=(
                f'libvirt {model.version_text(found)} does not tell how '
                'often guests exit: it needs libvirt '
                f'{model.version_text(_MIN_LIBVIRT)}.'
            )
        )


def look(
    connection: protocols.Connection,
    guests: collections.abc.Sequence[protocols.Domain] = (),
    clock: collections.abc.Callable[[], float] = time.monotonic,
) -> Look:
    """Read the counters of guests that run, in one call.

    :param guests: whose; none for those of all guests.
    :param clock: tells seconds.
    :raises InvalidRequest: libvirt does not tell.
    """
    # libvirt.libvirtError is not named in this room: the package runs
    # without libvirt-python.
    try:
        if guests:
            told = connection.domainListGetStats(guests, _VCPU, _FLAGS)
        else:
            told = connection.getAllDomainStats(_VCPU, _FLAGS)
    except Exception as err:
        raise exception.InvalidRequest(
            reason=f'libvirt does not tell how often guests exit: {err}'
        ) from err
    return Look(
        seconds=clock(),
        guests={
            guest.UUIDString(): (guest, _counters(statistics))
            for guest, statistics in told
        },
    )


def _counters(statistics: collections.abc.Mapping[str, object]) -> _Counters:
    found: _Counters = {}
    for key, value in statistics.items():
        match = _KEY.fullmatch(key)
        if match and isinstance(value, int):
            found.setdefault(int(match[1]), {})[match[2]] = value
    return found


def compare(
    connection: protocols.Connection,
    first: Look,
    second: Look,
    named: collections.abc.Iterable[protocols.Domain] = (),
) -> list[Row]:
    """Return what was counted between two looks, the costliest guest first.

    :param connection: to the guests' libvirt.
    :param named: the guests that were asked for, whether or not they run.
    """
    tooold = _too_old(connection)
    seconds = second.seconds - first.seconds
    rows = []
    for uuid, (guest, before) in first.guests.items():
        if uuid not in second.guests:
            rows.append(
                Row(
                    domain=guest.name(),
                    text='It ended while its exits were counted.',
                )
            )
            continue
        again, after = second.guests[uuid]
        if guest.ID() != again.ID():
            rows.append(Row(domain=guest.name(), text=_RESTARTED))
        else:
            rows.append(_row(guest, before, after, seconds, tooold))
    known = {row.domain for row in rows}
    rows += [
        Row(domain=guest.name(), text='It does not run.')
        for guest in named
        if guest.name() not in known
    ]
    return sorted(rows, key=lambda row: (-row.cost, row.domain))


_RESTARTED = 'It was restarted while its exits were counted.'


def _too_old(connection: protocols.Connection) -> str:
    """Say why libvirt tells nothing of a guest on KVM."""
    try:
        found = probe.split_version(connection.getVersion())
    except Exception as err:  # As in look().
        return f"QEMU's release is not known: {err}"
    if found < _MIN_QEMU:
        return (
            f'QEMU {model.version_text(found)} does not tell how often it '
            f'exits: it needs QEMU {model.version_text(_MIN_QEMU)}.'
        )
    return (
        'libvirt does not tell how often it exits: it is busy with another '
        'job, or its QEMU was started before an update and is older than '
        f'{model.version_text(_MIN_QEMU)}.'
    )


def _row(
    guest: protocols.Domain,
    before: _Counters,
    after: _Counters,
    seconds: float,
    tooold: str,
) -> Row:
    name = guest.name()
    try:
        read = domain.parse(guest.XMLDesc(0))
    except exception.MalformedDocument as err:
        return Row(domain=name, text=str(err))
    except Exception as err:  # As in look().
        return Row(domain=name, text=f'The domain cannot be read: {err}')
    if read.virt_type != 'kvm':
        return Row(
            domain=name,
            text=f'KVM does not run it: its type is {read.virt_type}.',
        )
    # A vCPU may be plugged in or out between the looks.
    both = before.keys() & after.keys()
    counted = {
        each: {
            kind: after[each][kind] - before[each][kind]
            for kind in before[each].keys() & after[each].keys()
        }
        for each in both
    }
    if not counted or not all(ALL in each for each in counted.values()):
        return Row(domain=name, text=tooold)
    if any(grown < 0 for each in counted.values() for grown in each.values()):
        return Row(domain=name, text=_RESTARTED)
    rates = {
        kind: sum(each.get(kind, 0) for each in counted.values())
        / len(counted)
        / seconds
        for kind in _READ
    }
    runs = [after[each].get(_NESTED) for each in both]
    return Row(
        domain=name,
        vcpus=len(counted),
        rates={
            ALL: rates[ALL],
            **{kind: rates[kind] for kind in KINDS},
            # Each is read at a moment of its own.
            OTHER: max(0.0, rates[ALL] - sum(rates[k] for k in KINDS)),
        },
        hypervisor=None if None in runs else any(runs),
        saved=_saved(read, rates),
    )


def _saved(
    guest: domain.Domain, rates: typing.Mapping[str, float]
) -> tuple[Saved, ...]:
    """Return what would save exits, the most first."""
    chosen = guest.hyperv.mode is profiles.Mode.PASSTHROUGH
    if chosen or not recognition.is_windows(guest):
        return ()
    found = [
        Saved(name=saving.name, exits=saving.bound(rates[saving.counter]))
        for saving in exits.SAVINGS
        if saving.name not in guest.hyperv.features
    ]
    return tuple(
        sorted(
            (each for each in found if each.exits > 0),
            key=lambda each: -each.exits,
        )
    )
