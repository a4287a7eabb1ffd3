# SPDX-License-Identifier: Apache-2.0

"""Says in nova.conf's and flavors' words what a guest gets on every host.

The set of a group of hosts is a profile less what one of them is short of.
Windows guests that are started with it can move between all of them. Where
the group is a quorum, traits keep guests off the hosts outside it.
"""

import collections.abc
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
    """Return the lines for nova.conf, and the commands for flavors.

    No profile that turns nothing on is among them.
    """
    inside = found.inside
    plan = choose(inside.features)
    if not plan.features:
        return [
            '# No profile can be recommended: these hosts share nothing that '
            'one turns on.'
        ]
    lacking = frozenset().union(
        *(_CATALOGUE.keys() - each.features for each in found.outside)
    )
    written = [
        f'# In nova.conf, for {_words(inside, found)}:',
        *plan.options(),
        '',
    ]
    off = plan.features & lacking
    if off:
        written += [
            '# Short of it: '
            f'{", ".join(_short(found.outside, plan.features))}.',
            '# For a flavor whose guests must stay off them:',
        ]
    else:
        written.append('# The same for one flavor alone:')
    written += [plan.command(off), *_for_some(inside, found, lacking)]
    for group in found.inside_groups:
        if group.vendor is not None and group.hosts < inside.hosts:
            written += ['', *_of_vendor(group, found, lacking)]
    return written


def _short(
    hosts: collections.abc.Iterable[baseline.Delivery],
    features: frozenset[str],
) -> list[str]:
    """Return the names of the hosts that do not deliver a set."""
    return [each.name for each in hosts if not features <= each.features]


def _words(group: baseline.Group, found: baseline.Baseline) -> str:
    vendor = f'{group.vendor.value} ' if group.vendor else ''
    if found.outside:
        hosts = 'host' if group.hosts == 1 else 'hosts'
        return f'{group.hosts} {vendor}{hosts} of {found.everyone.hosts}'
    if group.hosts == 1:
        return f'the one {vendor}host'
    return f'all {group.hosts} {vendor}hosts'


def _of_vendor(
    group: baseline.Group, found: baseline.Baseline, lacking: frozenset[str]
) -> list[str]:
    """Return the lines about the hosts of one vendor among others."""
    plan = choose(group.features)
    some = _for_some(group, found, lacking)
    more = plan.features - found.inside.features
    if more:
        return [
            f'# In nova.conf of {_words(group, found)}, instead of that:',
            *plan.options(),
            '',
            '# For a flavor whose guests must stay on hosts like these:',
            plan.command(more | (plan.features & lacking)),
            *some,
        ]
    return [f'# The same for {_words(group, found)}.', *some]


def _for_some(
    group: baseline.Group, found: baseline.Baseline, lacking: frozenset[str]
) -> list[str]:
    """Return the lines about profiles that only some guests gain from."""
    written = []
    for plan in extras(group.features):
        traits = plan.features - found.inside.features
        written += [
            '',
            f'# For a flavor whose guests need profile {plan.profile.name}, '
            f'on {_words(group, found)}:',
            plan.command(traits | (plan.features & lacking)),
        ]
    return written
