# SPDX-License-Identifier: Apache-2.0

"""Says in nova.conf's and flavors' words what a guest gets on every host.

The set of a group of hosts is a profile less what one of them is short of.
Windows guests that are started with it can move between all of them.
"""

import dataclasses

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.fleet import baseline
from nova_hyperv_enlight.policy import request

_CATALOGUE = enlightenments.ENLIGHTENMENTS
#: The profiles that suit every Windows guest.
_FOR_ALL = tuple(
    profile
    for profile in profiles.PROFILES.values()
    if profile.mode is profiles.Mode.CUSTOM and not profile.listed
)
#: Those that suit some.
_FOR_SOME = tuple(
    profile
    for profile in profiles.PROFILES.values()
    if profile.mode is profiles.Mode.CUSTOM and profile.listed
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """A profile, and what is taken away from it.

    :ivar profile: the profile.
    :ivar off: what of it some host is short of, in the catalogue's order.
    """

    profile: profiles.Profile
    off: tuple[str, ...]

    @property
    def features(self) -> frozenset[str]:
        """What a guest gets."""
        return self.profile.features - frozenset(self.off)

    def options(self) -> list[str]:
        """Return it as lines of nova.conf."""
        lines = ['[hyperv_enlight]', f'profile = {self.profile.name}']
        if self.off:
            lines.append(f'force_off = {",".join(self.off)}')
        return lines

    def command(self, traits: frozenset[str] = frozenset()) -> str:
        """Return it as the command that gives it to a flavor.

        :param traits: names that a host must report for such a guest.
        """
        specs = [f'{request.SPEC_PREFIX}profile={self.profile.name}']
        specs += [f'{request.SPEC_PREFIX}{name}=off' for name in self.off]
        specs += [
            f'trait:{entry.trait}=required'
            for name, entry in _CATALOGUE.items()
            if name in traits
        ]
        properties = ' '.join(f'--property {spec}' for spec in specs)
        return f'openstack flavor set {properties} FLAVOR'


def _less(
    profile: profiles.Profile, features: frozenset[str]
) -> Recommendation:
    return Recommendation(
        profile=profile,
        off=tuple(
            name for name in _CATALOGUE if name in profile.features - features
        ),
    )


def choose(features: frozenset[str]) -> Recommendation:
    """Return the profile that comes nearest to a set for all guests.

    The one that leaves the most of it; of those, the least.
    """
    plans = [_less(profile, features) for profile in _FOR_ALL]
    return max(plans, key=lambda plan: (len(plan.features), -len(plan.off)))


def extras(features: frozenset[str]) -> list[Recommendation]:
    """Return the profiles for some guests that give more to them."""
    common = choose(features).features
    plans = [_less(profile, features) for profile in _FOR_SOME]
    return [plan for plan in plans if plan.features > common]


def lines(found: baseline.Baseline) -> list[str]:
    """Return the lines for nova.conf, and the commands for flavors."""
    everyone = found.everyone
    plan = choose(everyone.features)
    written = [
        f'# In nova.conf, for {_words(everyone)}:',
        *plan.options(),
        '',
        '# The same for one flavor alone:',
        plan.command(),
        *_for_some(everyone, everyone),
    ]
    for group in found.groups:
        if group.vendor is not None and group.hosts < everyone.hosts:
            written += ['', *_of_vendor(group, everyone)]
    return written


def _words(group: baseline.Group) -> str:
    vendor = f'{group.vendor.value} ' if group.vendor else ''
    if group.hosts == 1:
        return f'the one {vendor}host'
    return f'all {group.hosts} {vendor}hosts'


def _of_vendor(group: baseline.Group, everyone: baseline.Group) -> list[str]:
    """Return the lines about the hosts of one vendor among others."""
    plan = choose(group.features)
    some = _for_some(group, everyone)
    more = plan.features - everyone.features
    if more:
        return [
            f'# In nova.conf of {_words(group)}, instead of that:',
            *plan.options(),
            '',
            '# For a flavor whose guests must stay on hosts like these:',
            plan.command(more),
            *some,
        ]
    return [f'# The same for {_words(group)}.', *some]


def _for_some(group: baseline.Group, everyone: baseline.Group) -> list[str]:
    """Return the lines about profiles that only some guests gain from."""
    written = []
    for plan in extras(group.features):
        written += [
            '',
            f'# For a flavor whose guests need profile {plan.profile.name}, '
            f'on {_words(group)}:',
            plan.command(plan.features - everyone.features),
        ]
    return written
