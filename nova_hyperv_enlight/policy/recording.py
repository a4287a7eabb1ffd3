# SPDX-License-Identifier: Apache-2.0

"""What is recorded of a decision."""

import dataclasses

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import request

_CATALOGUE = enlightenments.ENLIGHTENMENTS


def _lost(
    decided: decision.Decision,
    host: capabilities.HostCapabilities,
    before: record.Record | None,
) -> selections.Selection:
    """Return what a guest is to have where another host lets it.

    That is what it had before, what is not known of this host, and all
    of it on a host that offers nothing. What a host says that it lacks, of a
    new guest, is not: a better host changes no guest.
    """
    left_out = {
        outcome.name: outcome
        for outcome in decided.left_out
        if outcome.source not in request.EXPLICIT
        and outcome.reason is not decision.Reason.WINDOWS
    }
    unknown = {
        name
        for name, outcome in left_out.items()
        if outcome.reason is decision.Reason.NOT_KNOWN
    }
    features = left_out.keys() & graph.dependents(unknown, host.sources.vendor)
    wanted = before.wanted if before is not None else selections.Selection()
    features |= left_out.keys() & wanted.features
    if not any(capability.offered for capability in host.features.values()):
        features |= left_out.keys()
    values = {
        outcome.name: outcome.wanted_value
        for outcome in decided.outcomes
        if outcome.wanted_value is not None
        and (outcome.name in features or outcome.state is decision.State.ON)
    }
    pins = any(_CATALOGUE[name].pins_tsc for name in features)
    return selections.Selection(
        features=frozenset(features),
        values=frozenset(
            (entry.value_name, values[name])
            for name, entry in _CATALOGUE.items()
            if name in values and entry.value_name is not None
        ),
        tsc_frequency=wanted.tsc_frequency if pins else None,
    )


def made(
    decided: decision.Decision,
    own: selections.Selection,
    host: capabilities.HostCapabilities,
    before: record.Record | None,
) -> record.Record:
    """Return the record of a guest at its start.

    :param own: Nova's own list, for a decision that leaves it.
    :param host: the host that it is started on.
    :param before: its record from before, if it was started before.
    """
    selection, lost = decided.selection, selections.Selection()
    if not decided.acts:
        selection = dataclasses.replace(own, mode=profiles.Mode.STOCK)
    # The profile itself says what is wanted of another mode.
    known = profiles.PROFILES.get(decided.profile or '')
    if known is None or known.mode is profiles.Mode.CUSTOM:
        lost = _lost(decided, host, before)
    return record.Record(
        profile=decided.profile or record.ADOPTED,
        selection=dataclasses.replace(
            record.named(selection, host), off=frozenset()
        ),
        lost=lost,
    )
