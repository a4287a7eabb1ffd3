# SPDX-License-Identifier: Apache-2.0

"""Decides what a guest gets: the one place where it is decided.

Pure: the same settings, request and host give the same decision.
"""

import dataclasses
import functools
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.catalogue import windows
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.policy import admission
from nova_hyperv_enlight.policy import context
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import feature
from nova_hyperv_enlight.policy import modes
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import settings

_CATALOGUE = enlightenments.ENLIGHTENMENTS


def _not_concerned(
    conf: settings.Settings, req: request.Request
) -> decision.Decision | None:
    if not conf.enabled:
        source = request.Source.OPERATOR
        text = 'is left to Nova: [hyperv_enlight] enabled is false.'
    elif not req.is_windows:
        source = request.Source.IMAGE
        os_type = exception.printable(req.os_type or 'not set')
        text = (
            f"is left to Nova: the image's os_type is {os_type}, not windows."
        )
    else:
        return None
    return decision.Decision(
        acts=False,
        profile=None,
        outcomes=modes.all_outcomes(
            decision.State.UNSET, decision.Reason.NOT_CONCERNED, source, text
        ),
    )


def _select(
    guest: context.GuestContext, on: list[decision.Outcome]
) -> selections.Selection:
    features = frozenset([outcome.name for outcome in on])
    frequency = None
    if features & selections.PINNING:
        frequency = guest.host.sources.tsc_frequency
        if guest.recorded is not None:
            # A guest keeps the frequency that it was started with.
            frequency = guest.recorded.wanted.tsc_frequency or frequency
    return selections.Selection(
        features=features,
        values=frozenset(
            [
                (typing.cast(str, _CATALOGUE[v.name].value_name), v.value)
                for v in on
                if v.value is not None
            ]
        ),
        tsc_frequency=frequency,
        pit_discards=guest.pit_discards(features),
    )


def _custom(guest: context.GuestContext) -> decision.Decision:
    """Decide name by name."""
    closed = feature.requested_features(guest)
    decided: dict[str, decision.Outcome] = {}
    for name in graph.REQUIRED_FIRST:
        if name in closed:
            outcome = feature.requested(guest, name, closed[name])
        else:
            outcome = feature.defaulted(guest, name, decided)
        decided[name] = outcome
    outcomes = tuple([decided[name] for name in _CATALOGUE])
    return decision.Decision(
        acts=True,
        profile=guest.profile.name,
        outcomes=outcomes,
        selection=_select(
            guest, [v for v in outcomes if v.state is decision.State.ON]
        ),
    )


def _applying_profile(
    conf: settings.Settings,
    req: request.Request,
    rule: windows.Rule | None,
    recorded: record.Record | None,
) -> tuple[profiles.Profile, str]:
    """Return the profile that applies, and who chose it."""
    profile, chosen_by = admission.choose(
        conf, req, recorded.profile if recorded is not None else None
    )
    delegates = profile.mode in (
        profiles.Mode.HOST_MODEL,
        profiles.Mode.PASSTHROUGH,
    )
    if rule is not None and delegates:
        # Nothing can be taken away from a set that others choose.
        return conf.known_profiles['baseline'], rule.text
    return profile, chosen_by


def _with_record(
    guest: context.GuestContext, recorded: record.Record
) -> context.GuestContext:
    """Use the record in place of the profile, where it counts.

    Where the flavor or the image names another profile now, the profile takes
    precedence over the record.
    """
    named = guest.req.flavor.profile or guest.req.image.profile
    if not guest.conf.keep_recorded or (
        named and guest.profile.name != recorded.profile
    ):
        return guest
    mode = recorded.selection.mode
    known = guest.conf.known_profiles.get(recorded.profile)
    if mode is profiles.Mode.CUSTOM and known is not None:
        # A host may have lacked what the profile's mode needs.
        mode = known.mode
    if mode is not profiles.Mode.CUSTOM:
        if known is None or known.mode is not mode:
            return guest
        return dataclasses.replace(guest, profile=known)
    return dataclasses.replace(
        guest,
        profile=profiles.Profile(
            name=recorded.profile,
            features=recorded.wanted.features,
            values=tuple(sorted(recorded.wanted.values)),
            summary='A recorded set.',
        ),
        rule=None,
        recorded=recorded,
    )


def lost(
    decided: decision.Decision,
    recorded: record.Record | None,
    conf: settings.Settings,
) -> list[decision.Outcome]:
    """Return the recorded features and values that the guest loses here.

    :param decided: the decision for this host.
    :param recorded: the guest's record, None where there is none.
    :param conf: the options; a record that is not kept loses nothing.
    """
    if recorded is None or not conf.keep_recorded:
        return []
    had = recorded.selection
    left_out = frozenset(
        outcome.name
        for outcome in decided.left_out
        if outcome.source not in request.EXPLICIT
    )
    return [
        outcome
        for outcome in decided.outcomes
        if (outcome.name in had.features & left_out)
        or (
            outcome.state is decision.State.ON
            and (_CATALOGUE[outcome.name].value_name, outcome.wanted_value)
            in had.values
        )
    ]


def _check_record(
    guest: context.GuestContext, decided: decision.Decision
) -> None:
    """Refuse a host that cannot deliver all of a record.

    :raises HostCannotDeliver: it cannot, and on_host_change is ``fail``.
    """
    missing = lost(decided, guest.before, guest.conf)
    if missing and guest.conf.fail_on_host_change:
        raise exception.HostCannotDeliver(
            reason=(
                f'This host cannot keep {", ".join(v.name for v in missing)} '
                "of the guest's recorded set, and [hyperv_enlight] "
                'on_host_change is fail'
            ),
            evidence=' '.join(v.text for v in missing).rstrip('.'),
        )


def _check_reach(
    conf: settings.Settings,
    req: request.Request,
    host: capabilities.HostCapabilities,
    recorded: record.Record | None,
    decided: decision.Decision,
) -> None:
    """Refuse an image whose overrides switch features that it may not.

    An override also switches what it requires, or what requires it.

    :raises InvalidRequest: with the features that it would switch.
    """
    if not req.image.features or _CATALOGUE.keys() <= conf.image_overridable:
        return
    quiet = dataclasses.replace(
        req, image=dataclasses.replace(req.image, features={})
    )
    try:
        without = resolve(conf, quiet, host, recorded).selection
    except exception.EnlightException:
        # This host refuses the guest without the overrides. So it is not
        # known what was on before, and all that they could switch counts.
        switched = admission.reach(req.image, host.sources.vendor)
    else:
        selected = decided.selection
        switched = without.features ^ selected.features
        switched |= without.off ^ selected.off
    reached = sorted(switched - conf.image_overridable)
    if reached:
        keys = ', '.join(
            override.key for override in req.image.features.values()
        )
        raise exception.InvalidRequest(
            reason=(
                f'What the image asks for ({keys}) is not allowed: it would '
                f'switch {", ".join(reached)} too; '
                f'{admission.allowance(conf)}.'
            )
        )


def _everything(profile: profiles.Profile) -> profiles.Profile:
    return dataclasses.replace(
        profile, features=frozenset(_CATALOGUE), mode=profiles.Mode.CUSTOM
    )


@functools.lru_cache(maxsize=128)
def resolve(
    conf: settings.Settings,
    req: request.Request,
    host: capabilities.HostCapabilities,
    recorded: record.Record | None = None,
) -> decision.Decision:
    """Decide what a guest gets.

    The guests of a host are of few kinds, so the last decisions are kept.

    :param conf: what the operator decided.
    :param req: what the guest's flavor and image ask for.
    :param host: what the host offers to such a guest.
    :param recorded: what a guest was started with that was started before,
        None where that is not known.
    :returns: the outcome of every name of the catalogue.
    :raises InvalidRequest: the request is not allowed, or possible on no host.
    :raises HostCannotDeliver: it is not possible on this host.
    """
    left = _not_concerned(conf, req)
    if left is not None:
        return left
    passed_over: tuple[str, ...] = ()
    if req.started:
        req, passed_over = admission.admit(conf, req, recorded)
    else:
        admission.check_image(conf, req.image)
    rule = windows.rule_for(req.release, req.firmware)
    profile, chosen_by = _applying_profile(conf, req, rule, recorded)
    guest = context.GuestContext(
        conf=conf,
        req=req,
        host=host,
        profile=profile,
        chosen_by=chosen_by,
        rule=rule,
        recorded=None,
        before=recorded,
        overrides=context.all_overrides(conf, req),
    )
    if recorded is not None:
        guest = _with_record(guest, recorded)
    decided = _decide(guest)
    try:
        _check_reach(conf, req, host, recorded, decided)
    except exception.InvalidRequest as err:
        if not req.started:
            raise
        passed_over += (str(err),)
        image = dataclasses.replace(req.image, features={})
        decided = resolve(
            conf, dataclasses.replace(req, image=image), host, recorded
        )
    if not passed_over:
        return decided
    return dataclasses.replace(
        decided, passed_over=decided.passed_over + passed_over
    )


def _decide(guest: context.GuestContext) -> decision.Decision:
    if guest.profile.mode is profiles.Mode.CUSTOM:
        decided = _custom(guest)
    else:
        try:
            decided = _delegate(guest)
        except exception.EnlightException as err:
            if not guest.req.started:
                raise
            decided = _by_name(guest, str(err))
    _check_record(guest, decided)
    return decided


def _delegate(guest: context.GuestContext) -> decision.Decision:
    """Leave the names to Nova, libvirt or QEMU."""
    if guest.profile.mode is profiles.Mode.STOCK:
        return modes.stock(guest)
    features = guest.host.features.values()
    if guest.req.encrypted or not any(
        capability.offered for capability in features
    ):
        # Nothing to hand on: say of each name why the host lacks it.
        return _custom(
            dataclasses.replace(guest, profile=_everything(guest.profile))
        )
    modes.check(guest)
    return modes.delegated(guest, _custom(guest))


def _by_name(guest: context.GuestContext, reason: str) -> decision.Decision:
    """Decide name by name what a profile cannot leave to others here.

    The guest keeps the names that it was started with. Where there is no
    record, or one that holds no more than the timer, it is the baseline.
    """
    before = guest.before
    wanted = before.wanted if before is not None else selections.Selection()
    features = wanted.features
    if features <= modes.TIMERS:
        features = profiles.PROFILES['baseline'].features
    profile = dataclasses.replace(
        guest.profile,
        features=features,
        values=tuple(sorted(wanted.values)),
        mode=profiles.Mode.CUSTOM,
    )
    return dataclasses.replace(
        _custom(dataclasses.replace(guest, profile=profile)),
        passed_over=(reason,),
    )
