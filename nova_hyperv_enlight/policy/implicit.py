# SPDX-License-Identifier: Apache-2.0

"""Decides what nobody asked for explicitly: the profile's names."""

import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.policy import case
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import request

_Reason = decision.Reason
_Source = request.Source


def off(
    guest: case.Case,
    name: str,
    reason: decision.Reason,
    source: request.Source,
    text: str,
) -> decision.Verdict:
    """Return the verdict of a name that is off.

    :param text: why, to be read after the name, without a full stop.
    """
    asks = guest.demanded(name)
    if name in guest.asks:
        asks.append(guest.asks[name])
    wanted = name in guest.profile.names or any(ask.on for ask in asks)
    return decision.Verdict(
        name=name,
        state=decision.State.OFF,
        reason=reason,
        source=source,
        text=f'{name!r} {text}.',
        wanted=wanted,
        wanted_value=guest.wanted_value(name) if wanted else None,
    )


def _turned_off(guest: case.Case, name: str) -> decision.Verdict:
    ask = guest.asks[name]
    text = f'is off: the {ask.source.value} turned it off ({ask.written})'
    for other in guest.demanded(name):
        if other.on:
            text += f', over the {other.source.value} ({other.written})'
    return off(guest, name, _Reason.TURNED_OFF, ask.source, text)


def _requires(
    guest: case.Case, name: str, needed: decision.Verdict
) -> decision.Verdict:
    why = {
        _Reason.TURNED_OFF: f'the {needed.source.value} turned off',
        _Reason.NOT_OFFERED: 'this host does not offer',
        _Reason.NOT_KNOWN: 'this host is not known to offer',
        _Reason.GUEST: "the guest's CPU does not allow",
        _Reason.WINDOWS: 'this release of Windows must not be given',
        _Reason.NOT_IN_PROFILE: f'{guest.asker} does not ask for',
        _Reason.REQUIRES: needed.text.partition(' ')[2].rstrip('.'),
    }[needed.reason]
    return off(
        guest,
        name,
        _Reason.REQUIRES,
        needed.source,
        f'requires {needed.name!r}, which {why}',
    )


def _wanted(
    guest: case.Case, name: str
) -> tuple[decision.Reason, request.Source, str] | None:
    """Return why a name is wanted, None where it is not."""
    for demands, source in (
        (guest.req.flavor, _Source.FLAVOR),
        (guest.req.image, _Source.IMAGE),
    ):
        if demands.hides and name == 'vendor_id':
            text = f'the {source.value} hides the hypervisor ({demands.hides})'
            return _Reason.HIDDEN, source, text
    if name in guest.asks:
        # Only of a guest that was started before: see explicit.close().
        ask = guest.asks[name]
        text = f'the {ask.source.value} asks for it ({ask.written})'
        return _Reason.ASKED, ask.source, text
    if name in guest.profile.names:
        text = f'{guest.asker} asks for it'
        if guest.recorded is not None:
            return _Reason.RECORDED, _Source.RECORD, text
        return _Reason.PROFILE, _Source.PROFILE, text
    return None


def _withheld(
    guest: case.Case,
    name: str,
    reason: decision.Reason,
    verdict_of: typing.Callable[[str], decision.Verdict],
) -> decision.Verdict | None:
    """Return the verdict of a wanted name that cannot be on."""
    rule = guest.rule
    # A rule takes away from a profile, not from what Nova itself asks for.
    from_profile = reason is _Reason.PROFILE
    if rule is not None and from_profile and name in rule.removes:
        text = f'is off: {rule.text}'
        return off(guest, name, _Reason.WINDOWS, _Source.WINDOWS, text)
    lacks = guest.lacks(name)
    if lacks is not None:
        return off(guest, name, lacks[0], _Source.HOST, f'is off: {lacks[1]}')
    entry = enlightenments.ENLIGHTENMENTS[name]
    missing = [
        needed
        for needed in map(verdict_of, entry.requirements(guest.vendor))
        if needed.state is not decision.State.ON
    ]
    if not missing:
        return None
    # The one that somebody or something keeps away says most.
    return _requires(
        guest,
        name,
        min(missing, key=lambda v: v.reason is _Reason.NOT_IN_PROFILE),
    )


def verdict(
    guest: case.Case,
    name: str,
    verdict_of: typing.Callable[[str], decision.Verdict],
) -> decision.Verdict:
    """Return the verdict of a name that no explicit demand puts on.

    :param verdict_of: returns the verdict of another name.
    """
    if name in guest.asks and not guest.asks[name].on:
        return _turned_off(guest, name)
    wanted = _wanted(guest, name)
    if wanted is None:
        text = f'is off: {guest.asker} does not ask for it'
        source = _Source.RECORD if guest.recorded else _Source.PROFILE
        return off(guest, name, _Reason.NOT_IN_PROFILE, source, text)
    reason, source, text = wanted
    withheld = _withheld(guest, name, reason, verdict_of)
    if withheld is not None:
        return withheld
    return guest.switched_on(name, reason, source, text)
