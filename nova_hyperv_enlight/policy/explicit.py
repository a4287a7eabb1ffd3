# SPDX-License-Identifier: Apache-2.0

"""Decides what the operator, the flavor or the image asks for explicitly."""

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import case
from nova_hyperv_enlight.policy import decision

_CATALOGUE = enlightenments.ENLIGHTENMENTS


def _check_not_off(
    guest: case.Case, name: str, needed: str, root: str
) -> None:
    off = guest.asks.get(needed)
    if off is None or off.on:
        return
    # What only one vendor's hosts require is no conflict on the others'.
    error: type[exception.EnlightException] = exception.HostCannotDeliver
    if needed in _CATALOGUE[name].requires:
        error = exception.InvalidRequest
    raise error(
        reason=(
            f'{root!r} ({guest.asks[root].source.value}) requires '
            f'{needed!r}, which the {off.source.value} turned off.'
        )
    )


def close(guest: case.Case) -> dict[str, str]:
    """Close the explicit demands upward over what they require.

    Of a guest that was started before only those are closed that can be had:
    the others are wanted as a profile's are.

    :returns: for each name that must be on, the name that was asked for.
    :raises InvalidRequest: one of them is explicitly off.
    :raises HostCannotDeliver: the same, but only on this vendor's hosts; or
        the host lacks one of them.
    """
    asked = [n for n in _CATALOGUE if n in guest.asks and guest.asks[n].on]
    if guest.started is not None:
        asked = [name for name in asked if _can_be_had(guest, name)]
    return _close(guest, asked)


def _can_be_had(guest: case.Case, name: str) -> bool:
    try:
        _close(guest, [name])
    except exception.EnlightException:
        return False
    return True


def _close(guest: case.Case, asked: list[str]) -> dict[str, str]:
    closed: dict[str, str] = {}

    def add(name: str, root: str) -> None:
        if name in closed:
            return
        closed[name] = root
        for needed in _CATALOGUE[name].requirements(guest.vendor):
            _check_not_off(guest, name, needed, root)
            add(needed, root)

    for name in asked:
        # What was asked for itself keeps its own name as its root.
        closed.pop(name, None)
        add(name, name)
    for name, root in closed.items():
        _check_had(guest, name, root)
    return closed


def _check_had(guest: case.Case, name: str, root: str) -> None:
    lacks = guest.lacks(name)
    if lacks is None:
        return
    ask = guest.asks[root]
    if name == root:
        reason = (
            f'{name!r}, which the {ask.source.value} asks for '
            f'({ask.written}), cannot be had on this host'
        )
    else:
        reason = (
            f'{root!r} ({ask.source.value}) requires {name!r}, which cannot '
            'be had on this host'
        )
    raise exception.HostCannotDeliver(reason, evidence=lacks[1])


def verdict(guest: case.Case, name: str, root: str) -> decision.Verdict:
    """Return the verdict of a name that must be on.

    :param root: the name that was asked for; it requires this one.
    """
    ask = guest.asks[root]
    text = (
        f'the {ask.source.value} asks for it ({ask.written})'
        if name == root
        else (
            f'{root!r}, which the {ask.source.value} asks for '
            f'({ask.written}), requires it'
        )
    )
    return guest.switched_on(
        name,
        decision.Reason.ASKED if name == root else decision.Reason.REQUIRED,
        ask.source,
        text,
    )
