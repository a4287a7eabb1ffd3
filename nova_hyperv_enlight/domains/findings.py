# SPDX-License-Identifier: Apache-2.0

"""What an audit can find: one declaration for each kind of finding.

Append-only, as the catalogue is: programs hold the codes.
"""

import collections.abc
import dataclasses
import types
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import model


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What has to change in a guest's XML.

    :ivar on: enlightenments that are switched on.
    :ivar off: enlightenments that are switched off.
    :ivar profile: the whole set gives way to that of the profile.
    :ivar clock_offset: the ``offset`` of ``<clock>``, None for its own.
    :ivar hpet: ``present`` of the hpet timer, None for its own.
    :ivar pit_discards: the PIT discards lost ticks; False for its own.
    """

    on: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()
    profile: bool = False
    clock_offset: str | None = None
    hpet: bool | None = None
    pit_discards: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FixContext:
    """What a fix can be made of.

    :ivar features: the enlightenments that such a guest can have on its host.
    :ivar vendor: the vendor of the host's processor.
    """

    features: frozenset[str]
    vendor: model.Vendor | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of finding.

    :ivar code: what programs and ``--fix`` call it.
    :ivar title: what people call it.
    :ivar cause: why it is one, and how it comes about.
    :ivar cure: what can be done.
    :ivar nova_cure: what can be done about a guest of Nova's, in few words;
        None where that is the same.
    :ivar severity: how bad it is; None where the catalogue says so of each
        name.
    :ivar fix: returns the change that cures it, for the name that a finding
        has; None where no change of the XML does.
    """

    code: str
    title: str
    cause: str
    cure: str
    severity: model.Severity | None
    nova_cure: str | None = None
    fix: collections.abc.Callable[[str, FixContext], Fix] | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that was found in one guest.

    :ivar domain: the guest's name.
    :ivar kind: what kind of finding it is.
    :ivar name: the enlightenment, timer or property in question; empty
        where it is about the guest as a whole.
    :ivar text: what was found, one sentence for people.
    :ivar fix: the change of the XML that cures it, None where none does.
    """

    domain: str
    kind: Kind
    name: str
    text: str
    fix: Fix | None = None

    @property
    def severity(self) -> model.Severity:
        """How bad it is."""
        if self.kind.severity is not None:
            return self.kind.severity
        return enlightenments.ENLIGHTENMENTS[self.name].severity


def join(fixes: typing.Iterable[Fix]) -> Fix:
    """Return the change that several amount to.

    What one of them switches off stays off.
    """
    joined = Fix()
    for fix in fixes:
        off = joined.off | fix.off
        joined = Fix(
            on=(joined.on | fix.on) - off,
            off=off,
            profile=joined.profile or fix.profile,
            clock_offset=fix.clock_offset or joined.clock_offset,
            hpet=joined.hpet if fix.hpet is None else fix.hpet,
            pit_discards=joined.pit_discards or fix.pit_discards,
        )
    return joined


def _switch_on(name: str, fix_context: FixContext) -> Fix:
    """Switch a name on with what it requires, or off where a host lacks it."""
    features = graph.closure({name}, fix_context.vendor)
    if features <= fix_context.features:
        return Fix(on=features)
    return _switch_off(name, fix_context)


def _switch_off(name: str, fix_context: FixContext) -> Fix:
    """Switch a name off, with all that requires it."""
    return Fix(off=frozenset(graph.dependents({name}, fix_context.vendor)))


_REBOOT = 'Hard reboot the server; recorded_set decides what it gets.'
_RETYPE = 'Set os_type=windows on the image; rebuild the server.'

MISSING = Kind(
    code='missing',
    title='An enlightenment is missing',
    cause=(
        'The profile has it, this host delivers it, and the guest does not '
        'have it. The text says what that costs.'
    ),
    cure='Switch it on.',
    severity=None,
    nova_cure=_REBOOT,
    fix=_switch_on,
)
NOT_DELIVERED = Kind(
    code='not-delivered',
    title='An enlightenment is on and not delivered',
    cause=(
        'The guest has it in its XML, and this host does not offer it to '
        'such a guest. Either QEMU does not start, or it starts and the '
        'guest is shown nothing of it.'
    ),
    cure=(
        'Switch it off, or mend the host as the text says: its kernel, the '
        'parameters of its kvm module, its libvirt or its QEMU.'
    ),
    severity=model.Severity.BREAKS_GUEST,
    nova_cure=_REBOOT,
    fix=_switch_off,
)
NO_NESTING = Kind(
    code='no-nesting',
    title="It serves a Hyper-V inside, and the guest's CPU cannot run one",
    cause=(
        "It serves a Hyper-V inside the guest, and the guest's CPU shows "
        'neither vmx nor svm. It only narrows where the guest can move.'
    ),
    cure="Switch it off, or show the guest vmx or svm of the host's CPU.",
    severity=model.Severity.BREAKS_MIGRATION,
    nova_cure=_REBOOT,
    fix=_switch_off,
)
WINDOWS_RELEASE = Kind(
    code='windows-release',
    title='This release of Windows cannot take it',
    cause=(
        'The table of Windows releases takes it away: the release is older '
        'than the enlightenment, or hangs with it.'
    ),
    cure='Switch it off.',
    severity=model.Severity.BREAKS_GUEST,
    nova_cure=_REBOOT,
    fix=_switch_off,
)
UNMET = Kind(
    code='unmet-dependency',
    title='Something that it requires is off',
    cause=(
        'It requires another enlightenment, and that one is off. QEMU does '
        'not start most of such guests. libvirt 11.9 and newer refuse to '
        'define them; older releases accept the XML.'
    ),
    cure='Switch on what it requires, or switch it off.',
    severity=model.Severity.BREAKS_GUEST,
    nova_cure=_REBOOT,
    fix=_switch_on,
)
TSC = Kind(
    code='tsc-not-pinned',
    title='It breaks live migration: the TSC frequency is not pinned',
    cause=(
        'Once the guest uses it, which a Hyper-V inside does, QEMU fails on '
        'the destination of a live migration, unless the TSC frequency is '
        "pinned by the clock's timer tsc. Nova 26 to 28 gave it to every "
        'Windows guest (Nova bug 2046549); a guest keeps it until its next '
        'hard reboot.'
    ),
    cure=(
        'Switch it off, or pin the frequency with a timer tsc that all hosts '
        'can keep. Do not live migrate the guest before that took effect.'
    ),
    severity=model.Severity.BREAKS_MIGRATION,
    nova_cure=_REBOOT,
    fix=_switch_off,
)
EVMCS_LEFT = Kind(
    code='evmcs-left',
    title='Left there by an older Nova',
    cause=(
        'Nova 26 to 28 gave evmcs to every Windows guest, also without '
        'nesting (Nova bug 2009280). The guest keeps it until its next hard '
        'reboot, and cannot move to a host without Intel processors and '
        'nesting before that.'
    ),
    cure='Hard reboot the server.',
    severity=model.Severity.BREAKS_MIGRATION,
    nova_cure=_REBOOT,
    fix=_switch_off,
)
PASSTHROUGH = Kind(
    code='passthrough',
    title='It cannot be live migrated: passthrough',
    cause=(
        "With mode='passthrough' the guest is shown all that this host's KVM "
        'has, and QEMU refuses to live migrate it.'
    ),
    cure='Give the guest a profile that names what is on.',
    severity=model.Severity.BREAKS_MIGRATION,
    nova_cure='Change the profile in the flavor or nova.conf; hard reboot.',
    fix=lambda name, fix_context: Fix(profile=True),
)
HPET = Kind(
    code='hpet',
    title='The HPET is on',
    cause=(
        'QEMU emulates it outside of the kernel: each access is an exit to '
        'QEMU, and Windows may tick on it. It is on wherever the XML does not '
        'turn it off; Nova does, unless the image has hw_time_hpet=true.'
    ),
    cure="Turn it off: <timer name='hpet' present='no'/>.",
    severity=model.Severity.COSTS_CPU,
    nova_cure='Remove hw_time_hpet from the image; rebuild the server.',
    fix=lambda name, fix_context: Fix(hpet=False),
)
AVIC_INHIBITED = Kind(
    code='avic-inhibited',
    title="It has no effect: the guest's PIT keeps KVM from using AVIC",
    cause=(
        'KVM makes up for ticks that the PIT has lost, which libvirt and QEMU '
        'do by default and Nova asks for. While it does, KVM on AMD '
        'processors does not use AVIC: Windows gives up AutoEOI and gains '
        'nothing.'
    ),
    cure=(
        "Let the PIT discard lost ticks: <timer name='pit' "
        "tickpolicy='discard'/>; or switch avic off."
    ),
    severity=model.Severity.COSTS_CPU,
    nova_cure=_REBOOT,
    fix=lambda name, fix_context: Fix(pit_discards=True),
)
CLOCK_EXITS = Kind(
    code='clock-exits',
    title='Each look at the clock exits',
    cause=(
        "hypervclock is on, and the clocksource of the host's kernel is not "
        'the TSC. KVM then leaves the page empty that Windows would read the '
        'time from, and Windows reads a counter at an exit each time.'
    ),
    cure=(
        "Mend the host: the kernel's log says why it does not trust the TSC. "
        'The guest needs no change.'
    ),
    severity=model.Severity.COSTS_CPU,
)
CLOCK_UTC = Kind(
    code='clock-utc',
    title='The clock runs in UTC',
    cause=(
        'Windows takes the real-time clock for local time, unless its '
        'registry value RealTimeIsUniversal says otherwise: after each start '
        'its time is wrong by the distance to UTC, until it is corrected '
        'from the network.'
    ),
    cure="Set <clock offset='localtime'>, unless the registry says UTC.",
    severity=model.Severity.BREAKS_GUEST,
    nova_cure=_RETYPE,
    fix=lambda name, fix_context: Fix(clock_offset='localtime'),
)
UNTYPED = Kind(
    code='untyped',
    title='Nova does not know that it is Windows',
    cause=(
        "The image's os_distro is Windows, and it has no os_type: Nova gives "
        'the guest no enlightenment and a clock in UTC.'
    ),
    cure=(
        "Set os_type=windows on the image, and rebuild the server; Nova does "
        'not read it again before that.'
    ),
    severity=model.Severity.COSTS_CPU,
    nova_cure=_RETYPE,
)
REFUSED = Kind(
    code='refused',
    title='What it asks for is not available or not allowed',
    cause=(
        "The guest's flavor or image, by its metadata, or the options ask "
        'for what is not available here, not allowed or not valid. A guest '
        'that has a record starts again with what it had, as far as it can, '
        'and nova-compute warns; a rebuild or resize of it, and a new guest '
        'of this kind, are refused. So is the next start of a guest without '
        'a record.'
    ),
    cure='Change the flavor or the options, as the text says.',
    severity=model.Severity.BREAKS_GUEST,
)
UNREADABLE = Kind(
    code='unreadable',
    title='It cannot be read',
    cause=(
        'libvirt did not return the XML of the domain, or it is not one that '
        'this release understands.'
    ),
    cure='See the text; the other domains are audited all the same.',
    severity=model.Severity.UNKNOWN,
)
VANISHED = Kind(
    code='vanished',
    title='It vanished',
    cause='The domain was there when the audit began, and is gone now.',
    cure='None is needed, unless it should be there.',
    severity=model.Severity.NO_EFFECT,
)

UNKNOWN_TYPE = Kind(
    code='unknown-type',
    title='Its type is not understood',
    cause=(
        'The domain is neither of type kvm nor of type qemu. The same '
        'elements mean something else there, such as the viridian extensions '
        'of Xen, and nothing of it was looked at.'
    ),
    cure='None here: "domain apply" refuses such a domain too.',
    severity=model.Severity.UNKNOWN,
)

#: Every kind by its code, in the order in which a guest's are told.
KINDS = types.MappingProxyType(
    {
        kind.code: kind
        for kind in (
            UNREADABLE,
            VANISHED,
            UNKNOWN_TYPE,
            REFUSED,
            UNTYPED,
            PASSTHROUGH,
            TSC,
            EVMCS_LEFT,
            UNMET,
            NOT_DELIVERED,
            NO_NESTING,
            WINDOWS_RELEASE,
            AVIC_INHIBITED,
            CLOCK_EXITS,
            MISSING,
            HPET,
            CLOCK_UTC,
        )
    }
)
