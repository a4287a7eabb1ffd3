# SPDX-License-Identifier: Apache-2.0

"""Compares what a guest has with what it should have; pure.

What it should have is decided as for a guest of Nova: by the options, the
profile, the flavor and the image as far as its metadata hold them, the
release of Windows, and the host.
"""

import collections.abc
import dataclasses

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.catalogue import windows
from nova_hyperv_enlight.domains import findings
from nova_hyperv_enlight.domains import recognition
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings

#: What Nova 26 to 28 gave to every Windows guest.
LEFT = 'evmcs'
# What no Nova gives.
_NEVER_STOCK = 'stimer'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One guest, and what it is compared with.

    :ivar guest: the guest.
    :ivar host: what the host offers to such a guest.
    :ivar rule: what its release of Windows must not be given.
    :ivar decided: what it should have, None where that is not possible.
    """

    guest: domain.Domain
    host: capabilities.HostCapabilities
    rule: windows.Rule | None
    decided: decision.Decision | None

    @property
    def features(self) -> frozenset[str]:
        """What is on in the guest, by its name."""
        return self.guest.hyperv.features

    @property
    def delegated(self) -> bool:
        """Whether libvirt or QEMU names what is on."""
        return self.guest.hyperv.mode is not profiles.Mode.CUSTOM

    @property
    def wanted(self) -> frozenset[str]:
        """What the guest should have, by its name."""
        if self.decided is None:
            return frozenset()
        return self.decided.selection.features

    @property
    def fix_context(self) -> findings.FixContext:
        """What a fix can be made of."""
        removed = self.rule.removes if self.rule else frozenset()
        return findings.FixContext(
            features=frozenset(
                name
                for name, capability in self.host.features.items()
                if capability.offered
                and name not in removed
                and (
                    self.guest.nested
                    or not enlightenments.ENLIGHTENMENTS[name].nests
                )
            ),
            vendor=self.host.sources.vendor,
        )

    @property
    def left(self) -> bool:
        """Whether an older Nova's evmcs is still there.

        No Nova gives stimer: a guest that has it was started with this
        plugin, and somebody may have asked for evmcs.
        """
        return (
            self.guest.nova is not None
            and LEFT in self.features - self.wanted
            and _NEVER_STOCK not in self.features
        )


_CATALOGUE = enlightenments.ENLIGHTENMENTS
# The guests that QEMU gives an HPET unless their XML says no: those with one
# of its PC machine types.
_X86 = ('x86_64', 'i686')
_PC = ('pc', 'q35')
#: A finding's kind, name and text.
_Found = tuple[findings.Kind, str, str]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What is known of a Windows guest after it was looked at.

    :ivar wanted: what it would get here, None where that is refused or its
        type is not understood.
    :ivar found: what was found in it.
    """

    wanted: selections.Selection | None
    found: tuple[findings.Finding, ...]


def inspect(
    guest: domain.Domain,
    conf: settings.Settings,
    host: capabilities.HostCapabilities,
) -> Inspection:
    """Look at a Windows guest.

    :param guest: the guest.
    :param conf: the options, with the profile.
    :param host: what the host offers to such a guest.
    """
    try:
        domain.check_type(guest)
    except exception.InvalidRequest as err:
        unknown = findings.Finding(
            domain=guest.name,
            kind=findings.UNKNOWN_TYPE,
            name='type',
            text=str(err),
        )
        return Inspection(wanted=None, found=(unknown,))
    decided, found = None, []
    try:
        decided = resolve.resolve(conf, recognition.to_request(guest), host)
    except (exception.InvalidRequest, exception.HostCannotDeliver) as err:
        found.append((findings.REFUSED, '', str(err)))
    compared = Comparison(
        guest=guest,
        host=host,
        rule=windows.rule_for(recognition.release(guest), guest.firmware),
        decided=decided,
    )
    for rule in _RULES:
        found += rule(compared)
    fix_context = compared.fix_context
    return Inspection(
        wanted=decided.selection if decided and decided.acts else None,
        found=tuple(
            findings.Finding(
                domain=guest.name,
                kind=kind,
                name=name,
                text=text,
                fix=kind.fix(name, fix_context) if kind.fix else None,
            )
            for kind, name, text in found
        ),
    )


def _quoted(features: collections.abc.Iterable[str]) -> str:
    """Return names in the catalogue's order, for people."""
    chosen = frozenset(features)
    return ' and '.join(repr(name) for name in _CATALOGUE if name in chosen)


def _untyped(compared: Comparison) -> collections.abc.Iterator[_Found]:
    guest = compared.guest
    if guest.os_type is None and windows.is_windows(guest.os_distro):
        yield (
            findings.UNTYPED,
            'os_type',
            f'The image has os_distro={guest.os_distro} and no os_type: Nova '
            'does not treat the guest as Windows.',
        )


def _passthrough(compared: Comparison) -> collections.abc.Iterator[_Found]:
    if compared.guest.hyperv.mode is profiles.Mode.PASSTHROUGH:
        yield (
            findings.PASSTHROUGH,
            'passthrough',
            "The guest has mode='passthrough': QEMU does not live migrate it.",
        )


def _unpinned(compared: Comparison) -> collections.abc.Iterator[_Found]:
    for name in selections.unpinned(compared.guest.hyperv):
        yield (
            findings.TSC,
            name,
            f'{name!r} is on without a pinned TSC frequency: a live '
            'migration fails at the destination once the guest uses it.',
        )


def _evmcs_left(compared: Comparison) -> collections.abc.Iterator[_Found]:
    if compared.left and compared.guest.nova is not None:
        by = compared.guest.nova.release or 'an older release'
        yield (
            findings.EVMCS_LEFT,
            LEFT,
            f'{LEFT!r} is on as Nova 26 to 28 left it (the '
            f'metadata are of {by}): the guest can be live migrated only '
            'between Intel hosts with nesting.',
        )


def _unmet(compared: Comparison) -> collections.abc.Iterator[_Found]:
    if compared.delegated:
        # What is not named may be on.
        return
    vendor = compared.host.sources.vendor
    for name, off in graph.unmet(compared.features, vendor).items():
        yield (
            findings.UNMET,
            name,
            f'{name!r} requires {_quoted(off)}, which '
            f'{"is" if len(off) == 1 else "are"} off: QEMU, and libvirt '
            'from 11.9 on, may refuse the guest.',
        )


def _not_delivered(compared: Comparison) -> collections.abc.Iterator[_Found]:
    for name in graph.in_order(compared.features):
        capability = compared.host.features[name]
        if capability.offered is False:
            yield (
                findings.NOT_DELIVERED,
                name,
                f'{name!r} is on and not delivered: {capability.evidence}.',
            )


def _no_nesting(compared: Comparison) -> collections.abc.Iterator[_Found]:
    if compared.guest.nested:
        return
    for name in graph.in_order(compared.features):
        if not _CATALOGUE[name].nests:
            continue
        left = name == LEFT and compared.left
        if not left and compared.host.features[name].offered is not False:
            yield (
                findings.NO_NESTING,
                name,
                f"{name!r} is on, and the guest's CPU shows neither vmx nor "
                'svm: it does nothing.',
            )


def _release(compared: Comparison) -> collections.abc.Iterator[_Found]:
    if compared.rule is None:
        return
    for name in graph.in_order(compared.features & compared.rule.removes):
        yield (
            findings.WINDOWS_RELEASE,
            name,
            f'{name!r} is on: {compared.rule.text}.',
        )


def _pit(compared: Comparison) -> collections.abc.Iterator[_Found]:
    guest = compared.guest
    if guest.hyperv.pit_discards or not guest.kernel_pit:
        return
    vendor = compared.host.sources.vendor
    for name in selections.inhibited_by_pit(compared.features, vendor):
        if compared.host.features[name].offered is not False:
            yield (
                findings.AVIC_INHIBITED,
                name,
                f"{name!r} is on, and KVM makes up for lost ticks of the "
                "guest's PIT: it uses no AVIC while it does.",
            )


def _clock_exits(compared: Comparison) -> collections.abc.Iterator[_Found]:
    slow = compared.host.sources.slow_clock
    for name in graph.in_order(compared.features):
        offered = compared.host.features[name].offered is not False
        if slow and offered and _CATALOGUE[name].is_clock:
            yield findings.CLOCK_EXITS, name, f'{name!r} is on, and {slow}.'


def _missing(compared: Comparison) -> collections.abc.Iterator[_Found]:
    for name in graph.in_order(compared.wanted - compared.features):
        entry = _CATALOGUE[name]
        if compared.delegated and entry.placement is not model.Placement.TIMER:
            continue
        yield (findings.MISSING, name, f'{name!r} is missing: {entry.cost}.')


def _hpet(compared: Comparison) -> collections.abc.Iterator[_Found]:
    guest = compared.guest
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


def _clock(compared: Comparison) -> collections.abc.Iterator[_Found]:
    # It is UTC too where the attribute is missing.
    if compared.guest.clock_offset in (None, 'utc'):
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
    _pit,
    _clock_exits,
    _missing,
    _hpet,
    _clock,
)
