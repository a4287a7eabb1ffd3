# SPDX-License-Identifier: Apache-2.0

"""Decides about one feature of one guest, from its context.

A feature is requested where an override names it, and defaulted where only
the profile does."""

import dataclasses
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import windows
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import settings

# With a host CPU of its own, a vCPU gains nothing from giving way to others:
# QEMU docs/system/i386/hyperv.rst, hv-spinlocks.
_NEVER_NOTIFY = '4294967295'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GuestContext:
    """What one decision is made from.

    :ivar conf: what the operator decided.
    :ivar req: what the guest asks for.
    :ivar host: what the host offers.
    :ivar profile: the profile that applies.
    :ivar chosen_by: who chose the profile, as messages name it.
    :ivar rule: what the release of Windows must not be given.
    :ivar recorded: the record that the profile stands for, if it does.
    :ivar before: the guest's record, whether or not the profile stands for
        it; None where there is none.
    :ivar overrides: the strongest explicit demand for each name.
    """

    conf: settings.Settings
    req: request.Request
    host: capabilities.HostCapabilities
    profile: profiles.Profile
    chosen_by: str
    rule: windows.Rule | None
    recorded: record.Record | None
    before: record.Record | None
    overrides: typing.Mapping[str, request.Override]

    @property
    def requester(self) -> str:
        """Who asks for the profile's names, for messages."""
        if self.recorded is not None:
            return 'the recorded set'
        return f'profile {self.profile.name!r}'

    @property
    def vendor(self) -> model.Vendor | None:
        """The vendor of the host's processor."""
        return self.host.sources.vendor

    def overrides_of(self, name: str) -> list[request.Override]:
        """Return what flavor and image ask for about one name."""
        return [
            overrides.features[name]
            for overrides in (self.req.flavor, self.req.image)
            if name in overrides.features
        ]

    def lacks(self, name: str) -> tuple[decision.Reason, str] | None:
        """Return why a name cannot be had here, None where it can."""
        if self.req.encrypted:
            # Any enlightenment shows Windows a hypercall page, which KVM
            # fills: kvm_hv_set_msr_pw in Linux, arch/x86/kvm/hyperv.c.
            return (
                decision.Reason.GUEST,
                "the guest's memory is encrypted: it could not read what KVM "
                'writes into it',
            )
        capability = self.host.features[name]
        if capability.offered is None:
            return decision.Reason.NOT_KNOWN, capability.evidence
        if not capability.offered:
            return decision.Reason.NOT_OFFERED, capability.evidence
        if self.req.nested is False and (
            enlightenments.ENLIGHTENMENTS[name].nests
        ):
            return (
                decision.Reason.GUEST,
                "the guest's CPU shows neither vmx nor svm",
            )
        return None

    def value(self, name: str) -> str | None:
        """Return the value that a name carries in this guest.

        A guest that was started before gets the nearest one that the host's
        libvirt takes.

        :raises HostCannotDeliver: the host's libvirt does not take it.
        """
        found = self._wanted_value(name)
        if found is None:
            return None
        refusal = self._refusal(name)
        if refusal is None:
            return found[0]
        if not self.req.started:
            raise exception.HostCannotDeliver(*refusal)
        value = enlightenments.ENLIGHTENMENTS[name].value
        assert value is not None
        return value.nearest(found[0], self.host.sources.libvirt)

    def wanted_value(self, name: str) -> str | None:
        """Return the value that a name would carry if each host took it."""
        found = self._wanted_value(name)
        return found[0] if found is not None else None

    def _wanted_value(self, name: str) -> tuple[str, str] | None:
        """Return the value that is wanted, and who gives it."""
        entry = enlightenments.ENLIGHTENMENTS[name]
        if entry.value is None or entry.value_name is None:
            return None
        for override in self.overrides_of(name):
            if override.value is not None:
                return override.value, override.written
        values = dict(self.profile.values)
        if entry.value_name in values:
            return values[entry.value_name], self.requester
        option, value = {
            'spinlocks': ('spinlock_retries', self._retries()),
            'vendor_id': ('vendor_id', self.conf.vendor_id),
        }[name]
        return value, f'[hyperv_enlight] {option}'

    def _refusal(self, name: str) -> tuple[str, str] | None:
        """Say why the host's libvirt does not take the value of a name.

        :returns: the reason, and what of the host says so.
        """
        entry = enlightenments.ENLIGHTENMENTS[name]
        given = self._wanted_value(name)
        if entry.value is None or given is None:
            return None
        needed = entry.value.needs_libvirt(given[0])
        found = self.host.sources.libvirt
        if needed is None or found is None or found >= needed:
            return None
        return (
            f'{entry.value_name}={given[0]}, which {given[1]} gives, needs '
            f'libvirt {model.version_text(needed)}',
            f'this host has {model.version_text(found)}',
        )

    def switched_on(
        self,
        name: str,
        reason: decision.Reason,
        source: request.Source,
        text: str,
    ) -> decision.Outcome:
        """Return the verdict of a name that is on.

        :param text: why, without a full stop.
        :raises HostCannotDeliver: see :meth:`value`.
        """
        value, wanted = self.value(name), self.wanted_value(name)
        sentence = f'{name!r} is on: {text}.'
        refusal = self._refusal(name)
        if refusal is not None and value != wanted:
            why = ': '.join(refusal)
            sentence = f'{name!r} is on with {value} instead: {why}.'
        return decision.Outcome(
            name=name,
            state=decision.State.ON,
            reason=reason,
            source=source,
            text=sentence,
            wanted=True,
            value=value,
            wanted_value=wanted if value != wanted else None,
        )

    def _retries(self) -> str:
        if self.conf.spinlock_retries != settings.AUTO:
            return self.conf.spinlock_retries
        value = enlightenments.ENLIGHTENMENTS['spinlocks'].value
        assert value is not None
        wanted = value.needs_libvirt(_NEVER_NOTIFY) or (0, 0, 0)
        found = self.host.sources.least_libvirt
        if self.req.dedicated and found >= wanted:
            return _NEVER_NOTIFY
        return value.default


def all_overrides(
    conf: settings.Settings, req: request.Request
) -> dict[str, request.Override]:
    """Return the strongest explicit demand for each name.

    The operator's ``force_off`` goes before ``force_on``, that before the
    flavor, and that before the image.
    """
    overrides = dict(req.image.features)
    overrides.update(req.flavor.features)
    for key, features, on in (
        ('force_on', conf.force_on, True),
        ('force_off', conf.force_off, False),
    ):
        for name in features:
            overrides[name] = request.Override(
                source=request.Source.OPERATOR,
                key=key,
                on=on,
                written=f'[hyperv_enlight] {key}',
            )
    return overrides


_CATALOGUE = enlightenments.ENLIGHTENMENTS


def _check_not_off(guest: GuestContext, needed: str, root: str) -> None:
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


def requested_features(guest: GuestContext) -> dict[str, str]:
    """Close the explicit demands upward over what they require.

    Of a guest that was started before only those are closed that can be had:
    the others are wanted as a profile's are.

    :returns: for each name that must be on, the name that was asked for.
    :raises InvalidRequest: one of them is explicitly off.
    :raises HostCannotDeliver: the same, but only on this vendor's hosts; or
        the host lacks one of them.
    """
    asked = [
        n for n in _CATALOGUE if n in guest.overrides and guest.overrides[n].on
    ]
    if guest.req.started:
        asked = [name for name in asked if _can_be_had(guest, name)]
    return _close(guest, asked)


def _can_be_had(guest: GuestContext, name: str) -> bool:
    try:
        _close(guest, [name])
    except exception.EnlightException:
        return False
    return True


def _close(guest: GuestContext, asked: list[str]) -> dict[str, str]:
    # A name that was asked for itself is its own root.
    closed = {name: name for name in asked}
    for root in asked:
        for name in graph.closure({root}, guest.vendor):
            _check_not_off(guest, name, root)
            closed.setdefault(name, root)
    for name in graph.in_order(closed):
        _check_host(guest, name, closed[name])
    return closed


def _check_host(guest: GuestContext, name: str, root: str) -> None:
    lacks = guest.lacks(name)
    if lacks is None:
        return
    override = guest.overrides[root]
    if name == root:
        reason = (
            f'{name!r}, which the {override.source.value} asks for '
            f'({override.written}), cannot be had on this host'
        )
    else:
        reason = (
            f'{root!r} ({override.source.value}) requires {name!r}, which '
            'cannot be had on this host'
        )
    raise exception.HostCannotDeliver(reason, evidence=lacks[1])


def requested(guest: GuestContext, name: str, root: str) -> decision.Outcome:
    """Return the verdict of a name that must be on.

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
    guest: GuestContext,
    name: str,
    reason: decision.Reason,
    source: request.Source,
    text: str,
) -> decision.Outcome:
    """Return the verdict of a name that is off.

    :param text: why, to be read after the name, without a full stop.
    """
    overrides = guest.overrides_of(name)
    if name in guest.overrides:
        overrides.append(guest.overrides[name])
    wanted = name in guest.profile.features or any(
        override.on for override in overrides
    )
    return decision.Outcome(
        name=name,
        state=decision.State.OFF,
        reason=reason,
        source=source,
        text=f'{name!r} {text}.',
        wanted=wanted,
        wanted_value=guest.wanted_value(name) if wanted else None,
    )


def _turned_off(guest: GuestContext, name: str) -> decision.Outcome:
    override = guest.overrides[name]
    text = (
        f'is off: the {override.source.value} turned it off '
        f'({override.written})'
    )
    for other in guest.overrides_of(name):
        if other.on:
            text += f', over the {other.source.value} ({other.written})'
    return _off(guest, name, _Reason.TURNED_OFF, override.source, text)


def _requires(
    guest: GuestContext, name: str, needed: decision.Outcome
) -> decision.Outcome:
    why = {
        _Reason.TURNED_OFF: f'the {needed.source.value} turned off',
        _Reason.NOT_OFFERED: 'this host does not offer',
        _Reason.NOT_KNOWN: 'this host is not known to offer',
        _Reason.GUEST: "the guest's CPU does not allow",
        _Reason.WINDOWS: 'this release of Windows must not be given',
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
    guest: GuestContext, name: str
) -> tuple[decision.Reason, request.Source, str] | None:
    """Return why a name is wanted, None where it is not."""
    for overrides, source in (
        (guest.req.flavor, _Source.FLAVOR),
        (guest.req.image, _Source.IMAGE),
    ):
        if overrides.hides and name == 'vendor_id':
            text = (
                f'the {source.value} hides the hypervisor ({overrides.hides})'
            )
            return _Reason.HIDDEN, source, text
    if name in guest.overrides:
        # Only of a guest that was started before: see explicit.close().
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
    guest: GuestContext,
    name: str,
    reason: decision.Reason,
    outcome_of: typing.Callable[[str], decision.Outcome],
) -> decision.Outcome | None:
    """Return the verdict of a wanted name that cannot be on."""
    rule = guest.rule
    # A rule takes away from a profile, not from what Nova itself asks for.
    from_profile = reason is _Reason.PROFILE
    if rule is not None and from_profile and name in rule.removes:
        text = f'is off: {rule.text}'
        return _off(guest, name, _Reason.WINDOWS, _Source.WINDOWS, text)
    lacks = guest.lacks(name)
    if lacks is not None:
        return _off(guest, name, lacks[0], _Source.HOST, f'is off: {lacks[1]}')
    entry = enlightenments.ENLIGHTENMENTS[name]
    missing = [
        needed
        for needed in map(outcome_of, entry.requirements(guest.vendor))
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


def defaulted(
    guest: GuestContext,
    name: str,
    outcome_of: typing.Callable[[str], decision.Outcome],
) -> decision.Outcome:
    """Return the verdict of a name that no explicit demand puts on.

    :param outcome_of: returns the verdict of another name.
    """
    if name in guest.overrides and not guest.overrides[name].on:
        return _turned_off(guest, name)
    wanted = _wanted(guest, name)
    if wanted is None:
        text = f'is off: {guest.requester} does not ask for it'
        source = _Source.RECORD if guest.recorded else _Source.PROFILE
        return _off(guest, name, _Reason.NOT_IN_PROFILE, source, text)
    reason, source, text = wanted
    withheld = _withheld(guest, name, reason, outcome_of)
    if withheld is not None:
        return withheld
    return guest.switched_on(name, reason, source, text)
