# SPDX-License-Identifier: Apache-2.0

"""What the operator decided, for all Windows guests of a host."""

import dataclasses
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles

#: The ``spinlock_retries`` that leaves the number to the guest's CPU policy.
AUTO = 'auto'
#: The hook that writes the PIT's timer.
PIT_HOOK = 'pit'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options of ``[hyperv_enlight]``, checked.

    :ivar enabled: False leaves every guest to Nova.
    :ivar shadow: True decides and logs, and leaves Nova's XML.
    :ivar profile: the profile of guests that name none.
    :ivar known_profiles: all profiles that there are, by name.
    :ivar force_on: enlightenments that the operator turns on.
    :ivar force_off: enlightenments that the operator turns off.
    :ivar image_overridable: what image properties may switch: names, and
        profiles as ``profile:NAME``.
    :ivar spinlock_retries: a number in digits, or :data:`AUTO`.
    :ivar vendor_id: the text that vendor_id shows.
    :ivar keep_recorded: use a guest's recorded set again.
    :ivar fail_on_host_change: do not start a guest on a host that cannot
        keep its recorded set whole.
    :ivar report_traits: report what the host offers as traits.
    :ivar verify_host: look at guests when nova-compute starts, and count
        what they are not shown as not offered.
    :ivar pit_discard: a guest's PIT discards lost ticks where an
        enlightenment has no effect otherwise.
    :ivar hooks: the guest config hooks, in the order they run in.
    """

    enabled: bool = True
    shadow: bool = False
    profile: str = 'baseline'
    known_profiles: typing.Mapping[str, profiles.Profile] = dataclasses.field(
        default_factory=lambda: profiles.PROFILES
    )
    force_on: tuple[str, ...] = ()
    force_off: tuple[str, ...] = ()
    image_overridable: frozenset[str] = profiles.PROFILES[
        'performance'
    ].features
    spinlock_retries: str = enlightenments.default_value('spinlocks')
    vendor_id: str = enlightenments.default_value('vendor_id')
    keep_recorded: bool = True
    fail_on_host_change: bool = False
    report_traits: bool = True
    verify_host: bool = False
    pit_discard: bool = True
    hooks: tuple[str, ...] = ('hyperv', 'hypervclock', PIT_HOOK)

    @property
    def keeps_pit(self) -> str | None:
        """Which option keeps the PIT as Nova makes it, None if none does."""
        if not self.pit_discard:
            return '[hyperv_enlight] pit_tickpolicy is delay'
        if PIT_HOOK not in self.hooks:
            return f'[hyperv_enlight] hooks has no {PIT_HOOK}'
        return None

    def __hash__(self) -> int:
        """Hash without the profiles, which are a mapping."""
        return hash((self.profile, self.force_on, self.force_off))
