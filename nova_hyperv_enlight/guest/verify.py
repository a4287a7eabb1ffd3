# SPDX-License-Identifier: Apache-2.0

"""Compares what was asked for with what a guest read."""

import dataclasses
import enum
import types
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.guest import cpuid
from nova_hyperv_enlight.host import kvm

_CATALOGUE = enlightenments.ENLIGHTENMENTS
#: What a guest reads where nobody has set a value; who asks for just that
#: cannot be told from who asks for nothing. QEMU target/i386/cpu.c:
#: hv-spinlocks, and target/i386/kvm/kvm.c: hv-vendor-id.
_UNSET = {'spinlocks': '4294967295', 'vendor_id': 'Microsoft Hv'}


class Asked(enum.Enum):
    """Whether an enlightenment was asked for."""

    YES = 'yes'
    NO = 'no'
    #: Nobody named it: libvirt or QEMU chooses.
    LEFT = 'left to the host'


class Shown(enum.Enum):
    """Whether a guest is shown an enlightenment."""

    YES = 'yes'
    NO = 'no'
    #: It reads the same with it and without it.
    UNTOLD = 'cannot be told from CPUID'
    #: There is no such guest: QEMU or libvirt refuses it.
    NO_GUEST = 'no guest starts with it'
    #: There was a guest, and it did not say.
    NO_REPORT = 'the guest did not say'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What became of one enlightenment.

    :ivar name: the enlightenment.
    :ivar asked: whether it was asked for.
    :ivar shown: whether the guest is shown it.
    :ivar leaf: where the guest reads it.
    :ivar text: why the guest was started without it, or none starts with
        it; else empty.
    """

    name: str
    asked: Asked
    shown: Shown
    leaf: str
    text: str = ''

    @property
    def is_missing(self) -> bool:
        """Whether it was asked for and is not seen to be shown."""
        return self.asked is Asked.YES and self.shown not in (
            Shown.YES,
            Shown.UNTOLD,
        )


def location(entry: model.Enlightenment) -> str:
    """Return where a guest reads an enlightenment, for people."""
    if entry.value is None:
        return ', '.join(
            f'{bits.leaf:#x} {bits.register.value.upper()} {bits.bits:#x}'
            for bits in entry.cpuid
        )
    if isinstance(entry.value, model.IntegerValue):
        return f'{entry.value.leaf:#x} EBX'
    return f'{entry.value.leaf:#x} EBX ECX EDX'


def _value(leaves: kvm.Leaves, entry: model.Enlightenment) -> str:
    """Return the value that a guest reads."""
    if isinstance(entry.value, model.IntegerValue):
        registers = leaves.get(entry.value.leaf, {})
        return str(registers.get(model.Register.EBX, 0))
    return cpuid.vendor(leaves)


def look(leaves: kvm.Leaves, name: str, value: str | None = None) -> Shown:
    """Say whether a guest is shown an enlightenment.

    :param leaves: what it read.
    :param name: the enlightenment.
    :param value: the value that was asked for, None where it was not.
    """
    entry = _CATALOGUE[name]
    if entry.value is None:
        return Shown.YES if cpuid.shows(leaves, entry) else Shown.NO
    if not cpuid.shows_hyperv(leaves):
        return Shown.NO
    found = _value(leaves, entry)
    if value is None:
        return Shown.NO if found == _UNSET[name] else Shown.YES
    if found != value:
        return Shown.NO
    return Shown.UNTOLD if value == _UNSET[name] else Shown.YES


def _asked(selection: selections.Selection, name: str) -> Asked:
    if name in selection.features:
        return Asked.YES
    if selection.mode is profiles.Mode.CUSTOM or name in selection.off:
        return Asked.NO
    if _CATALOGUE[name].placement is model.Placement.TIMER:
        return Asked.NO
    return Asked.LEFT


def compare(
    selection: selections.Selection,
    leaves: kvm.Leaves,
    left_out: typing.Mapping[str, str] = types.MappingProxyType({}),
) -> tuple[Observation, ...]:
    """Compare bit by bit.

    :param selection: what was asked for.
    :param leaves: what the guest read.
    :param left_out: why the guest was started without it, by name.
    :returns: a finding for every name of the catalogue, in its order.
    """
    values = dict(selection.values)
    findings = []
    for name, entry in _CATALOGUE.items():
        value = None
        if name in selection.features and entry.value_name is not None:
            # Without one QEMU takes what a guest reads anyway.
            value = values.get(entry.value_name, _UNSET[name])
        findings.append(
            Observation(
                name=name,
                asked=_asked(selection, name),
                shown=look(leaves, name, value),
                leaf=location(entry),
                text=left_out.get(name, ''),
            )
        )
    return tuple(findings)
