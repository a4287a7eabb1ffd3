# SPDX-License-Identifier: Apache-2.0

"""Decides about one feature of one guest, from its context.

A feature is requested where an override names it, and defaulted where only
the profile does.
"""

import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import context
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import request

_CATALOGUE = enlightenments.ENLIGHTENMENTS


def _check_not_off(
    guest: context.GuestContext, needed: str, root: str
) -> None:
    off = guest.overrides.get(needed)
    if off is None or off.on:
        return
    # What only one vendor's hosts require is no conflict on the others'.
    error: type[exception.EnlightException] = exception.HostCannotDeliver
    if needed in graph.closure({root}):
        error = exception.InvalidRequest
    raise error(
        reason=(
            f'{root!r} ({guest.overrides[root].source.value}) requires '
            f'{needed!r}, which the {off.source.value} turned off.'
        )
    )


def requested_features(guest: context.GuestContext) -> dict[str, str]:
    """Return the requested features and all that they require.

    A guest may have been started before. Then a requested feature that the
    host cannot deliver is left out, as a profile's is.

    :returns: for each name that must be on, the name that was asked for.
    :raises InvalidRequest: one of them is explicitly off.
    :raises HostCannotDeliver: the same, but only on this vendor's hosts; or
        the host lacks one of them.
    """
    asked = graph.in_order(
        {name for name, override in guest.overrides.items() if override.on}
    )
    if guest.req.started:
        asked = [name for name in asked if _can_be_had(guest, name)]
    return _close(guest, asked)


def _can_be_had(guest: context.GuestContext, name: str) -> bool:
    try:
        _close(guest, [name])
    except exception.EnlightException:
        return False
    return True


def _close(guest: context.GuestContext, asked: list[str]) -> dict[str, str]:
    # A name that was asked for itself is its own root.
    closed = {name: name for name in asked}
    for root in asked:
        for name in graph.closure({root}, guest.vendor):
            _check_not_off(guest, name, root)
            closed.setdefault(name, root)
    for name in graph.in_order(closed):
        _check_host(guest, name, closed[name])
    return closed


def _check_host(guest: context.GuestContext, name: str, root: str) -> None:
    lacks = guest.lacks(name)
    if lacks is None:
        return
    override = guest.overrides[root]
    if name == root:
        reason = (
            f'{name!r}, which the {override.source.value} asks for '
            f'({override.written}), is not available on this host'
        )
    else:
        reason = (
            f'{root!r} ({override.source.value}) requires {name!r}, which '
            'is not available on this host'
        )
    raise exception.HostCannotDeliver(reason, evidence=lacks.text)


def requested(
    guest: context.GuestContext, name: str, root: str
) -> decision.Outcome:
    """Return the outcome of a name that must be on.

    :param root: the name that was asked for; it requires this one.
    """
    override = guest.overrides[root]
    text = (
        f'the {override.source.value} asks for it ({override.written})'
        if name == root
        else (
            f'{root!r}, which the {override.source.value} asks for '
            f'({override.written}), requires it'
        )
    )
    return guest.switched_on(
        name,
        decision.Reason.ASKED if name == root else decision.Reason.REQUIRED,
        override.source,
        text,
    )


_Reason = decision.Reason
_Source = request.Source


def _off(
    guest: context.GuestContext,
    name: str,
    reason: decision.Reason,
    source: request.Source,
    text: str,
    wanted: bool = True,
) -> decision.Outcome:
    """Return the outcome of a name that is off.

    :param text: why, to be read after the name, without a full stop.
    :param wanted: it was asked for.
    """
    sentence = f'{name!r} {text}.'
    lost = guest.wanted_value(name) if wanted else None
    return decision.Outcome(
        name, decision.State.OFF, reason, source, sentence, wanted, None, lost
    )


def _turned_off(guest: context.GuestContext, name: str) -> decision.Outcome:
    override = guest.overrides[name]
    text = (
        f'is off: the {override.source.value} turned it off '
        f'({override.written})'
    )
    over = [other for other in guest.overrides_of(name) if other.on]
    for other in over:
        text += f', over the {other.source.value} ({other.written})'
    wanted = bool(over) or name in guest.profile.features
    return _off(guest, name, _Reason.TURNED_OFF, override.source, text, wanted)


def _requires(
    guest: context.GuestContext, name: str, needed: decision.Outcome
) -> decision.Outcome:
    why = {
        _Reason.TURNED_OFF: f'the {needed.source.value} turned off',
        _Reason.NOT_OFFERED: 'this host does not offer',
        _Reason.NOT_KNOWN: 'this host is not known to offer',
        _Reason.GUEST: "the guest's CPU does not allow",
        _Reason.INHIBITED: 'would have no effect',
        _Reason.WINDOWS: 'this release of Windows cannot take',
        _Reason.NOT_IN_PROFILE: f'{guest.requester} does not ask for',
        _Reason.REQUIRES: needed.text.partition(' ')[2].rstrip('.'),
    }[needed.reason]
    return _off(
        guest,
        name,
        _Reason.REQUIRES,
        needed.source,
        f'requires {needed.name!r}, which {why}',
    )


def _wanted(
    guest: context.GuestContext, name: str
) -> tuple[decision.Reason, request.Source, str] | None:
    """Return why a name is wanted, None where it is not."""
    hides = guest.hides if name == context.HIDING else None
    if hides is not None:
        text = f'the {hides.source.value} hides the hypervisor ({hides.key})'
        return _Reason.HIDDEN, hides.source, text
    if name in guest.overrides:
        # The guest was started before: see requested_features().
        override = guest.overrides[name]
        text = f'the {override.source.value} asks for it ({override.written})'
        return _Reason.ASKED, override.source, text
    if name in guest.profile.features:
        text = f'{guest.requester} asks for it'
        if guest.recorded is not None:
            return _Reason.RECORDED, _Source.RECORD, text
        return _Reason.PROFILE, _Source.PROFILE, text
    return None


def _withheld(
    guest: context.GuestContext,
    name: str,
    reason: decision.Reason,
    decided: typing.Mapping[str, decision.Outcome],
) -> decision.Outcome | None:
    """Return the outcome of a wanted name that cannot be on."""
    rule = guest.rule
    # A rule takes away from a profile, not from what Nova itself asks for.
    from_profile = reason is _Reason.PROFILE
    if rule is not None and from_profile and name in rule.removes:
        text = f'is off: {rule.text}'
        return _off(guest, name, _Reason.WINDOWS, _Source.WINDOWS, text)
    lacks = guest.lacks(name)
    if lacks is not None:
        text = f'is off: {lacks.text}'
        return _off(guest, name, lacks.reason, lacks.source, text)
    missing = [
        decided[needed]
        for needed in _CATALOGUE[name].requirements(guest.vendor)
        if decided[needed].state is not decision.State.ON
    ]
    if not missing:
        return None
    # A name that the profile does not have says least.
    return _requires(
        guest,
        name,
        min(missing, key=lambda v: v.reason is _Reason.NOT_IN_PROFILE),
    )


def defaulted(
    guest: context.GuestContext,
    name: str,
    decided: typing.Mapping[str, decision.Outcome],
) -> decision.Outcome:
    """Return the outcome of a name that no override turns on.

    :param decided: the outcomes of the names that it requires.
    """
    if name in guest.overrides and not guest.overrides[name].on:
        return _turned_off(guest, name)
    wanted = _wanted(guest, name)
    if wanted is None:
        text = f'is off: {guest.requester} does not ask for it'
        source = _Source.RECORD if guest.recorded else _Source.PROFILE
        return _off(
            guest, name, _Reason.NOT_IN_PROFILE, source, text, wanted=False
        )
    reason, source, text = wanted
    withheld = _withheld(guest, name, reason, decided)
    if withheld is not None:
        return withheld
    return guest.switched_on(name, reason, source, text)
