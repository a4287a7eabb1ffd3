# SPDX-License-Identifier: Apache-2.0

"""What is recorded of a decision."""

import dataclasses

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import migration
from nova_hyperv_enlight.policy import modes
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import request

_CATALOGUE = enlightenments.ENLIGHTENMENTS


def _lost(
    decided: decision.Decision,
    host: capabilities.HostCapabilities,
    before: record.Record | None,
) -> decision.Selection:
    """Return what a guest is to have where another host lets it.

    That is what it had before, what nobody could tell of this host, and all
    of it on a host that offers nothing. What a host says that it lacks, of a
    new guest, is not: a better host changes no guest.
    """
    left_out = {
        verdict.name: verdict
        for verdict in decided.left_out
        if verdict.source not in request.EXPLICIT
        and verdict.reason is not decision.Reason.WINDOWS
    }
    unknown = {
        name
        for name, verdict in left_out.items()
        if verdict.reason is decision.Reason.NOT_KNOWN
    }
    names = left_out.keys() & modes.standing_on(unknown, host.witnesses.vendor)
    wanted = before.wanted if before is not None else decision.Selection()
    names |= left_out.keys() & wanted.names
    if not any(offer.offered for offer in host.offers.values()):
        names |= left_out.keys()
    values = {
        verdict.name: verdict.wanted_value
        for verdict in decided.verdicts
        if verdict.wanted_value is not None
        and (verdict.name in names or verdict.state is decision.State.ON)
    }
    pins = any(_CATALOGUE[name].pins_tsc for name in names)
    return decision.Selection(
        names=frozenset(names),
        values=frozenset(
            (entry.value_name, values[name])
            for name, entry in _CATALOGUE.items()
            if name in values and entry.value_name is not None
        ),
        tsc_frequency=wanted.tsc_frequency if pins else None,
    )


def made(
    decided: decision.Decision,
    own: decision.Selection,
    host: capabilities.HostCapabilities,
    before: record.Record | None,
) -> record.Record:
    """Return the record of a guest that is started.

    :param own: Nova's own list, for a decision that leaves it.
    :param host: the host that it is started on.
    :param before: its record from before, if it was started before.
    """
    selection, lost = decided.selection, decision.Selection()
    if not decided.acts:
        selection = dataclasses.replace(own, mode=profiles.Mode.STOCK)
    # The profile itself says what is wanted of another mode.
    known = profiles.PROFILES.get(decided.profile or '')
    if known is None or known.mode is profiles.Mode.CUSTOM:
        lost = _lost(decided, host, before)
    return record.Record(
        profile=decided.profile or record.ADOPTED,
        selection=dataclasses.replace(
            migration.named(selection, host), off=frozenset()
        ),
        lost=lost,
    )
