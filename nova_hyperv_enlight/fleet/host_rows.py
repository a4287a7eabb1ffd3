# SPDX-License-Identifier: Apache-2.0

"""What ``host show --describe`` says of a host beside its offers.

That is, which host it is. In a table each fact is a row of its own, whose
name begins with ``host.``. All of them may be missing.
"""

import re
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import kvm

#: What the names of such rows begin with.
PREFIX = 'host.'
#: The row that holds the host's name.
NAME = 'host.name'

_VENDOR = 'host.vendor'
_VIRT_TYPE = 'host.virt_type'
_ARCH = 'host.arch'
_MACHINE = 'host.machine'
_LIBVIRT = 'host.libvirt'
_QEMU = 'host.qemu'
_TSC = 'host.tsc_frequency'
_CLOCKSOURCE = 'host.clocksource'

_VENDORS = {vendor.value: vendor for vendor in model.Vendor}
# What ``host show`` asks about unless told otherwise.
_DEFAULT_VIRT_TYPE = 'kvm'
_DEFAULT_ARCH = 'x86_64'
_MAX_DIGITS = 18


def describe(
    name: str | None, sources: capabilities.Sources
) -> list[tuple[str, str]]:
    """Return the facts of a host that a document can hold.

    :param name: the host's name, None where it is not known.
    :param sources: what is known of the host.
    :returns: the name and the text of each that is known.
    """
    facts = {
        NAME: name,
        _VENDOR: sources.vendor.value if sources.vendor else None,
        _VIRT_TYPE: sources.virt_type,
        _ARCH: sources.arch,
        _MACHINE: sources.machine or sources.domcaps.machine,
        _LIBVIRT: _version_text(sources.libvirt),
        _QEMU: _version_text(sources.qemu),
        _TSC: str(sources.tsc_frequency or ''),
        _CLOCKSOURCE: sources.kernel.clocksource,
    }
    return [(row, text) for row, text in facts.items() if text]


def _version_text(version: model.Version | None) -> str | None:
    return None if version is None else model.version_text(version)


def read(
    facts: typing.Mapping[str, str],
    features: typing.Mapping[str, capabilities.Capability],
) -> capabilities.Sources:
    """Return what a document says of its host.

    :param facts: the texts of the facts that it holds, by their names.
    :param features: its other rows, by their names: where the vendor is not a
        fact, they may prove it.
    :raises ValueError: one of the facts is not what it should be.
    """
    return capabilities.Sources(
        virt_type=facts.get(_VIRT_TYPE, _DEFAULT_VIRT_TYPE),
        arch=facts.get(_ARCH, _DEFAULT_ARCH),
        machine=facts.get(_MACHINE),
        libvirt=_version(facts, _LIBVIRT),
        qemu=_version(facts, _QEMU),
        kernel=kvm.KernelFacts(
            vendor=_vendor(facts, features), clocksource=_clocksource(facts)
        ),
        tsc_frequency=_frequency(facts),
    )


def _vendor(
    facts: typing.Mapping[str, str],
    features: typing.Mapping[str, capabilities.Capability],
) -> model.Vendor | None:
    if _VENDOR in facts:
        # A newer release may know others.
        return _VENDORS.get(facts[_VENDOR])
    for name, entry in enlightenments.ENLIGHTENMENTS.items():
        if (
            len(entry.vendors) == 1
            and name in features
            and features[name].offered
        ):
            return entry.vendors[0]
    return None


def _is_number(text: str) -> bool:
    # int() alone would take signs, underscores and other alphabets' digits.
    return text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS


def _frequency(facts: typing.Mapping[str, str]) -> int | None:
    text = facts.get(_TSC)
    if text is None:
        return None
    if not _is_number(text):
        raise ValueError(f'{_TSC} is {text!r}, which is no number')
    return int(text)


def _clocksource(facts: typing.Mapping[str, str]) -> str | None:
    text = facts.get(_CLOCKSOURCE)
    # The kernel has names of up to 32 characters: CS_NAME_LEN in Linux
    # kernel/time/clocksource.c.
    if text is None or re.fullmatch('[A-Za-z0-9_.-]{1,32}', text):
        return text
    raise ValueError(f'{_CLOCKSOURCE} is {text!r}, which is no clocksource')


def _version(
    facts: typing.Mapping[str, str], row: str
) -> model.Version | None:
    text = facts.get(row)
    if text is None:
        return None
    parts = text.split('.')
    if len(parts) != 3 or not all(_is_number(part) for part in parts):
        raise ValueError(f'{row} is {text!r}, which is no release')
    return int(parts[0]), int(parts[1]), int(parts[2])
