# SPDX-License-Identifier: Apache-2.0

"""The options of nova.conf's group ``[hyperv_enlight]``."""

import collections.abc

from oslo_config import cfg
from oslo_config import types

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.policy import settings

_DEFAULTS = settings.Settings()
_NAMES = ', '.join(enlightenments.ENLIGHTENMENTS)


class _Value(types.String):
    """A value of an enlightenment, checked as flavors' are."""

    def __init__(self, name: str, *words: str) -> None:
        super().__init__()
        self._name = name
        self._words = words

    def __call__(self, value: object) -> str:
        text = str(super().__call__(value))
        carried = enlightenments.ENLIGHTENMENTS[self._name].value
        if text in self._words or carried is None:
            return text
        try:
            return carried.check(text)
        except ValueError as err:
            allowed = ', '.join((*self._words, str(err)))
            raise ValueError(
                f'{text!r} is not valid; allowed is {allowed}'
            ) from err


_GROUP_HELP = """
Which Hyper-V enlightenments Windows guests get.

Read by nova-compute where ``[DEFAULT] compute_driver`` is
``hyperv_enlight.LibvirtDriver``. A guest is a Windows guest when its image
has the property ``os_type=windows``. Changes take effect when nova-compute
restarts, for guests whose XML is made after that: new ones, and others at
their next hard reboot, start, migration (not live), rebuild or resize.
"""

ALL_OPTS = [
    cfg.BoolOpt(
        'enabled',
        default=_DEFAULTS.enabled,
        help="""
Give Windows guests the enlightenments that this host can deliver.

False leaves the XML of every guest exactly as Nova makes it.
""",
    ),
    cfg.StrOpt(
        'mode',
        default='enforce',
        choices=[
            ('enforce', 'Decide, log, and write what was decided'),
            ('shadow', "Decide and log, and leave Nova's own XML"),
        ],
        help="""
Whether what is decided for a Windows guest is written.

Shadow shows on a running cloud what would change: the log line of each guest
names what it would get and how that differs from Nova's own list.
""",
    ),
    cfg.StrOpt(
        'profile',
        default=_DEFAULTS.profile,
        help=f"""
The profile of Windows guests whose flavor and image name none.

A profile is a set of enlightenments. What the host does not offer is left
out, and the log line of the guest says why. An unknown name stops
nova-compute.

Possible values:

* one of {', '.join(profiles.PROFILES)}
* a profile from ``profiles_file``
""",
    ),
    cfg.StrOpt(
        'profiles_file',
        help="""
A YAML file with the operator's own profiles.

The file maps a profile's name to ``extends`` (another profile), ``on`` and
``off`` (lists of enlightenments) and ``values``. It is read when
nova-compute starts; a mistake in it stops nova-compute with the line and
the name. Unset means that there are the built-in profiles only.
""",
    ),
    cfg.ListOpt(
        'force_on',
        default=list(_DEFAULTS.force_on),
        help=f"""
Enlightenments that every Windows guest gets.

They take precedence over flavors, images and profiles. What they require comes
with them. A Windows guest is not built on a host that does not offer one of
them.

Possible values: {_NAMES}
""",
    ),
    cfg.ListOpt(
        'force_off',
        default=list(_DEFAULTS.force_off),
        help=f"""
Enlightenments that no Windows guest gets.

They take precedence over everything else. A flavor or an image that asks for
something that requires one of them is refused.

Possible values: {_NAMES}
""",
    ),
    cfg.ListOpt(
        'image_overridable',
        default=sorted(
            _DEFAULTS.image_overridable,
            key=list(enlightenments.ENLIGHTENMENTS).index,
        ),
        help=f"""
What image properties may switch.

Owners of images are tenants: an image property ``hyperv_enlight_NAME`` is
refused, and the server not built, where NAME is not listed. So is one that
would switch another name that is not listed: one that NAME requires, or one
that requires NAME.
An image may choose a profile by ``hyperv_enlight_profile`` where that switches
listed names only, or where the profile itself is listed as ``profile:NAME``;
the profiles nested, host-model and passthrough must be listed. Empty forbids
all of them.

Possible values: {_NAMES}, and profiles as ``profile:NAME``
""",
    ),
    cfg.Opt(
        'spinlock_retries',
        type=_Value('spinlocks', settings.AUTO),
        default=_DEFAULTS.spinlock_retries,
        help="""
How often Windows spins on a lock before it tells the host.

A number of tries, for guests whose flavor or image gives none. It turns
spinlocks neither on nor off.

Possible values:

* a whole number from 4095 to 4294967295
* from 2147483648 on the host's libvirt must be 11.9 or newer; 4294967295
  means never
* auto: never for guests with dedicated CPUs (``hw:cpu_policy=dedicated``)
  where the host's libvirt can do that, 8191 for all others
""",
    ),
    cfg.Opt(
        'vendor_id',
        type=_Value('vendor_id'),
        default=_DEFAULTS.vendor_id,
        help="""
The hypervisor vendor that a guest reads where vendor_id is on.

It is on where a flavor has ``hw:hide_hypervisor_id``, an image
has ``img_hide_hypervisor_id``, or vendor_id itself is asked for; this option
turns it neither on nor off. The default is the text that Nova shows.

Possible values: 1 to 12 printable ASCII characters without a comma
""",
    ),
    cfg.StrOpt(
        'recorded_set',
        default='keep',
        choices=[
            ('keep', 'Start a guest again with what it was started with'),
            ('refresh', 'Decide anew whenever a guest is started'),
        ],
        help="""
What a guest gets that is started again.

Each Windows guest's set is recorded in its system_metadata. With keep, a
hard reboot, start, unshelve, rescue, evacuation or cold migration uses it
again, so that a new release of this package, another profile as default or
a better host changes no existing guest. Rebuild and resize always
decide anew. What the operator, the flavor or the image switch explicitly
takes precedence over the record.
""",
    ),
    cfg.StrOpt(
        'on_host_change',
        default='degrade',
        choices=[
            ('degrade', 'Start it with what is left, and log a warning'),
            ('fail', 'Do not start it on this host'),
        ],
        help="""
What happens when a host cannot keep a guest's recorded set whole.

It matters with ``recorded_set = keep``, for guests that come to another
host by evacuation, unshelve or cold migration. Live migration to such a host
is refused always.
""",
    ),
    cfg.BoolOpt(
        'report_traits',
        default=_DEFAULTS.report_traits,
        help="""
Report what the host offers as traits of its resource provider.

The traits are ``CUSTOM_HYPERV_<NAME>``, with dots as underscores. A flavor
with ``trait:CUSTOM_HYPERV_EVMCS=required`` then lands on a host that offers
evmcs. False removes the traits, and so does ``enabled = false``.
""",
    ),
    cfg.BoolOpt(
        'verify_host',
        default=_DEFAULTS.verify_host,
        help="""
Look into guests of this host when nova-compute starts.

For each enlightenment a guest of 16 MiB is started for a moment and reads
back what it is really shown; what none is shown counts as not offered. It
takes at most 40 seconds, once: the answer is kept in ``hyperv_enlight`` below
``[DEFAULT] state_path`` until libvirt, QEMU, the kernel or the processor's
microcode changes. Where no guest can be looked at, nova-compute logs a
warning and goes on without. It matters with ``virt_type = kvm`` only.
""",
    ),
    cfg.StrOpt(
        'pit_tickpolicy',
        default='discard',
        choices=[
            ('discard', 'Discard them where avic has no effect otherwise'),
            ('delay', 'Leave the timer to Nova, and avic out on AMD hosts'),
        ],
        help="""
What becomes of ticks that a Windows guest's PIT has lost.

Nova lets KVM make up for them (``tickpolicy='delay'``). While it does, KVM on
AMD processors does not use AVIC, and avic costs Windows without a gain. With
discard a Windows guest with avic on an AMD host has ``tickpolicy='discard'``;
the timers of all other guests stay as Nova makes them. It matters only where
``hooks`` has ``pit``.
""",
    ),
    cfg.ListOpt(
        'hooks',
        default=list(_DEFAULTS.hooks),
        help="""
The hooks that write a Windows guest's configuration, in their order.

Entry points of the namespace ``nova_hyperv_enlight.guest_config``. One that
cannot be loaded stops nova-compute. Without ``hyperv``, ``hypervclock`` or
``pit`` that part of the XML stays as Nova makes it; without ``pit`` no guest
of an AMD host gets avic.
""",
    ),
]


def group() -> cfg.OptGroup:
    """Return the group.

    A new one each time: a ConfigOpts keeps the values of a group's options
    in the group itself, and two of them must not share it.
    """
    return cfg.OptGroup(
        'hyperv_enlight', title='Hyper-V enlightenments', help=_GROUP_HELP
    )


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options.

    :param conf: the ConfigOpts that nova.conf is, or will be, read into.
    """
    conf.register_opts(ALL_OPTS, group=group())


def list_opts() -> collections.abc.Mapping[cfg.OptGroup, list[cfg.Opt]]:
    """Return the options by their group, for oslo-config-generator."""
    return {group(): ALL_OPTS}
