# SPDX-License-Identifier: Apache-2.0

"""The context that a guest's features are decided in, and their values."""

import dataclasses
import functools
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
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
#: What hides the hypervisor from a guest.
HIDING = 'vendor_id'


class Lack(typing.NamedTuple):
    """Why an enlightenment is not possible.

    :ivar reason: the code.
    :ivar source: who rules it out.
    :ivar text: what it is, to be read after the name, without a full stop.
    """

    reason: decision.Reason
    source: request.Source
    text: str


@dataclasses.dataclass(frozen=True, kw_only=True)
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
    :ivar overrides: the override of each name that takes precedence.
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

    @functools.cached_property
    def requester(self) -> str:
        """Who asks for the profile's names, for messages."""
        if self.recorded is not None:
            return 'the recorded set'
        return f'profile {self.profile.name!r}'

    @functools.cached_property
    def vendor(self) -> model.Vendor | None:
        """The vendor of the host's processor."""
        return self.host.sources.vendor

    @property
    def hides(self) -> request.Override | None:
        """The override that hiding the hypervisor amounts to, if it is."""
        for source, overrides in (
            (request.Source.FLAVOR, self.req.flavor),
            (request.Source.IMAGE, self.req.image),
        ):
            if overrides.hides is not None:
                return request.Override(
                    source=source,
                    key=overrides.hides,
                    on=True,
                    written=overrides.hides,
                )
        return None

    def overrides_of(self, name: str) -> list[request.Override]:
        """Return what flavor and image ask for about one name."""
        return [
            overrides.features[name]
            for overrides in (self.req.flavor, self.req.image)
            if name in overrides.features
        ]

    def lacks(self, name: str) -> Lack | None:
        """Return why a name is not possible here, None where it is."""
        if self.req.encrypted:
            # Any enlightenment shows Windows a hypercall page, which KVM
            # fills: kvm_hv_set_msr_pw in Linux, arch/x86/kvm/hyperv.c.
            return Lack(
                decision.Reason.GUEST,
                request.Source.HOST,
                "the guest's memory is encrypted: it could not read what KVM "
                'writes into it',
            )
        capability = self.host.features[name]
        if capability.offered is None:
            return Lack(
                decision.Reason.NOT_KNOWN,
                request.Source.HOST,
                capability.evidence,
            )
        if not capability.offered:
            return Lack(
                decision.Reason.NOT_OFFERED,
                request.Source.HOST,
                capability.evidence,
            )
        if self.req.nested is False and (
            enlightenments.ENLIGHTENMENTS[name].nests
        ):
            return Lack(
                decision.Reason.GUEST,
                request.Source.HOST,
                "the guest's CPU shows neither vmx nor svm",
            )
        return self._inhibited(name)

    def _inhibited(self, name: str) -> Lack | None:
        """Return why a name would have no effect, None where it would.

        What a guest was started with stays: to take it away would show
        the guest another processor.
        """
        kept = self.conf.keeps_pit
        recorded = self.recorded
        if (
            kept is None
            or (recorded is not None and name in recorded.selection.features)
            or not selections.inhibited_by_pit((name,), self.vendor)
        ):
            return None
        return Lack(
            decision.Reason.INHIBITED,
            request.Source.OPERATOR,
            'it has no effect while KVM makes up for lost ticks of the '
            f"guest's PIT: {kept}",
        )

    def pit_discards(self, features: frozenset[str]) -> bool:
        """Whether the guest's PIT discards lost ticks.

        A guest keeps the PIT that it was started with, as long as it was
        started with a name that needs another one.

        :param features: the names that are on.
        """
        names = selections.inhibited_by_pit(features, self.vendor)
        if not names or self.conf.keeps_pit is not None:
            return False
        recorded = self.recorded
        if recorded is None or recorded.selection.pit_discards:
            return True
        return bool(frozenset(names) - recorded.selection.features)

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
        for key, value in self.profile.values:
            if key == entry.value_name:
                return value, self.requester
        if name == HIDING:
            return self.conf.vendor_id, '[hyperv_enlight] vendor_id'
        assert name == 'spinlocks', name
        return self._retries(), '[hyperv_enlight] spinlock_retries'

    def _nearest_value(
        self, name: str, wanted: str, giver: str
    ) -> tuple[str, tuple[str, str] | None]:
        """Return the nearest value that the host's libvirt takes.

        :param wanted: the value that is wanted, and who gives it.
        :returns: the value; and where it is another one, why, and what of
            the host says so.
        """
        entry = enlightenments.ENLIGHTENMENTS[name]
        assert entry.value is not None
        needed = entry.value.needs_libvirt(wanted)
        found = self.host.sources.libvirt
        if needed is None or found is None or found >= needed:
            return wanted, None
        return entry.value.nearest(wanted, found), (
            f'{entry.value_name}={wanted}, which {giver} gives, needs '
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
        """Return the outcome of a name that is on.

        A guest that was started before gets the nearest value that the
        host's libvirt takes.

        :param text: why, without a full stop.
        :raises HostCannotDeliver: the host's libvirt does not take the value
            that the name carries.
        """
        if self.pit_discards(frozenset((name,))):
            text += "; the guest's PIT discards lost ticks for it"
        if enlightenments.ENLIGHTENMENTS[name].is_clock:
            slow = self.host.sources.slow_clock
            text += f'; {slow}' if slow else ''
        sentence = f'{name!r} is on: {text}.'
        value = wanted = None
        given = self._wanted_value(name)
        if given is not None:
            wanted = given[0]
            value, refusal = self._nearest_value(name, *given)
            if refusal is not None:
                if not self.req.started:
                    raise exception.HostCannotDeliver(*refusal)
                why = ': '.join(refusal)
                sentence = f'{name!r} is on with {value} instead: {why}.'
        state, lost = decision.State.ON, wanted if value != wanted else None
        return decision.Outcome(
            name, state, reason, source, sentence, True, value, lost
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
    """Return the override of each name that takes precedence.

    In order of precedence: the operator's ``force_off``, ``force_on``, the
    flavor, the image.
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
