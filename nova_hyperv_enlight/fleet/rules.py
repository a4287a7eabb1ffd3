# SPDX-License-Identifier: Apache-2.0

"""Compares what a guest has with what it should have; pure.

What it should have is decided as for a guest of Nova: by the options, the
profile, the flavor and the image as far as Nova's metadata hold them, the
release of Windows, and the host.
"""

import collections.abc

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import windows
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import comparison
from nova_hyperv_enlight.fleet import findings
from nova_hyperv_enlight.fleet import recognition
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.policy import migration
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings

_CATALOGUE = enlightenments.ENLIGHTENMENTS
# The guests that QEMU gives an HPET unless their XML says no: those with one
# of its PC machine types.
_X86 = ('x86_64', 'i686')
_PC = ('pc', 'q35')
#: A finding's kind, name and text.
_Found = tuple[findings.Kind, str, str]


def inspect(
    guest: domain.Domain,
    conf: settings.Settings,
    host: capabilities.HostCapabilities,
) -> list[findings.Finding]:
    """Return what is to be found in a Windows guest.

    :param guest: the guest.
    :param conf: the options, with the profile.
    :param host: what the host offers to such a guest.
    """
    try:
        domain.check_type(guest)
    except exception.InvalidRequest as err:
        return [
            findings.Finding(
                domain=guest.name,
                kind=findings.UNKNOWN_TYPE,
                name='type',
                text=str(err),
            )
        ]
    decided, found = None, []
    try:
        decided = resolve.resolve(conf, recognition.to_request(guest), host)
    except (exception.InvalidRequest, exception.HostCannotDeliver) as err:
        found.append((findings.REFUSED, '', str(err)))
    case = comparison.Comparison(
        guest=guest,
        host=host,
        rule=windows.rule_for(recognition.release(guest), guest.firmware),
        decided=decided,
    )
    for rule in _RULES:
        found += rule(case)
    means = case.means
    return [
        findings.Finding(
            domain=guest.name,
            kind=kind,
            name=name,
            text=text,
            fix=kind.fix(name, means) if kind.fix else None,
        )
        for kind, name, text in found
    ]


def _quoted(names: collections.abc.Iterable[str]) -> str:
    """Return names in the catalogue's order, for people."""
    chosen = frozenset(names)
    return ' and '.join(repr(name) for name in _CATALOGUE if name in chosen)


def _untyped(case: comparison.Comparison) -> collections.abc.Iterator[_Found]:
    guest = case.guest
    if guest.os_type is None and windows.is_windows(guest.os_distro):
        yield (
            findings.UNTYPED,
            'os_type',
            f'The image has os_distro={guest.os_distro} and no os_type: Nova '
            'does not treat the guest as Windows.',
        )


def _passthrough(
    case: comparison.Comparison,
) -> collections.abc.Iterator[_Found]:
    if case.guest.hyperv.mode is profiles.Mode.PASSTHROUGH:
        yield (
            findings.PASSTHROUGH,
            'passthrough',
            "The guest has mode='passthrough': QEMU does not live migrate it.",
        )


def _unpinned(case: comparison.Comparison) -> collections.abc.Iterator[_Found]:
    for name in migration.unpinned(case.guest.hyperv):
        yield (
            findings.TSC,
            name,
            f'{name!r} is on without a pinned TSC frequency: a live '
            'migration fails at the destination once the guest uses it.',
        )


def _evmcs_left(
    case: comparison.Comparison,
) -> collections.abc.Iterator[_Found]:
    if case.left and case.guest.nova is not None:
        by = case.guest.nova.release or 'an older release'
        yield (
            findings.EVMCS_LEFT,
            comparison.LEFT,
            f'{comparison.LEFT!r} is on as Nova 26 to 28 left it (the '
            f'metadata are of {by}): the guest can be live migrated only '
            'between Intel hosts with nesting.',
        )


def _unmet(case: comparison.Comparison) -> collections.abc.Iterator[_Found]:
    if case.delegated:
        # What is not named may be on.
        return
    vendor = case.host.witnesses.vendor
    for name, entry in _CATALOGUE.items():
        if name not in case.names:
            continue
        off = [n for n in entry.requirements(vendor) if n not in case.names]
        if off:
            yield (
                findings.UNMET,
                name,
                f'{name!r} requires {_quoted(off)}, which '
                f'{"is" if len(off) == 1 else "are"} off: QEMU, and libvirt '
                'from 11.9 on, may refuse the guest.',
            )


def _not_delivered(
    case: comparison.Comparison,
) -> collections.abc.Iterator[_Found]:
    for name, offer in case.host.offers.items():
        if name in case.names and offer.offered is False:
            yield (
                findings.NOT_DELIVERED,
                name,
                f'{name!r} is on and not delivered: {offer.evidence}.',
            )


def _no_nesting(
    case: comparison.Comparison,
) -> collections.abc.Iterator[_Found]:
    if case.guest.nested:
        return
    for name, entry in _CATALOGUE.items():
        if not entry.nests or name not in case.names:
            continue
        left = name == comparison.LEFT and case.left
        if not left and case.host.offers[name].offered is not False:
            yield (
                findings.NO_NESTING,
                name,
                f"{name!r} is on, and the guest's CPU shows neither vmx nor "
                'svm: it does nothing.',
            )


def _release(case: comparison.Comparison) -> collections.abc.Iterator[_Found]:
    if case.rule is None:
        return
    for name in _CATALOGUE:
        if name in case.names & case.rule.removes:
            yield (
                findings.WINDOWS_RELEASE,
                name,
                f'{name!r} is on: {case.rule.text}.',
            )


def _missing(case: comparison.Comparison) -> collections.abc.Iterator[_Found]:
    for name, entry in _CATALOGUE.items():
        if name not in case.wanted - case.names:
            continue
        if case.delegated and entry.placement is not model.Placement.TIMER:
            continue
        yield (findings.MISSING, name, f'{name!r} is missing: {entry.cost}.')


def _hpet(case: comparison.Comparison) -> collections.abc.Iterator[_Found]:
    guest = case.guest
    if guest.hpet:
        yield (
            findings.HPET,
            'hpet',
            'The HPET is on: Windows may tick on it, at the cost of host CPU.',
        )
    if guest.hpet is None and _has_hpet(guest):
        yield (
            findings.HPET,
            'hpet',
            "The HPET is on, as is QEMU's default: Windows may tick on it, "
            'at the cost of host CPU.',
        )


def _has_hpet(guest: domain.Domain) -> bool:
    """Whether QEMU gives a guest an HPET unless it is told not to."""
    machine = (guest.machine or _PC[0]).partition('-')[0]
    return guest.arch in _X86 and machine in _PC


def _clock(case: comparison.Comparison) -> collections.abc.Iterator[_Found]:
    # It is UTC too where nothing is said.
    if case.guest.clock_offset in (None, 'utc'):
        yield (
            findings.CLOCK_UTC,
            'clock',
            'The clock runs in UTC, and Windows takes it for local time.',
        )


#: In the order of the findings.
_RULES = (
    _untyped,
    _passthrough,
    _unpinned,
    _evmcs_left,
    _unmet,
    _not_delivered,
    _no_nesting,
    _release,
    _missing,
    _hpet,
    _clock,
)
