# SPDX-License-Identifier: Apache-2.0

"""The profiles that every installation has.

Append-only, as the enlightenments are: nova.conf, flavors and images hold
these names. Each set is closed over the requirements of its members; the
operator's own profiles come from ``[hyperv_enlight] profiles_file``.
"""

import dataclasses
import enum
import types

from nova_hyperv_enlight.catalogue import model


class Mode(enum.Enum):
    """Who names the enlightenments of a guest."""

    #: This plugin, one by one: libvirt's ``mode='custom'``, its default.
    CUSTOM = 'custom'
    #: Nova: its own list is left as it is.
    STOCK = 'stock'
    #: libvirt, from what the host offers when the guest starts.
    HOST_MODEL = 'host-model'
    #: QEMU, everything that KVM has.
    PASSTHROUGH = 'passthrough'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named set of enlightenments.

    :ivar name: as nova.conf, flavors and images write it.
    :ivar features: the enlightenments that it asks for.
    :ivar values: values by their names, such as ``spinlocks.retries``.
    :ivar mode: who names the enlightenments.
    :ivar min_libvirt: first libvirt release that knows the mode.
    :ivar migratable: False where a guest cannot be live migrated.
    :ivar listed: True where an image may choose it only when
        ``image_overridable`` lists it as ``profile:NAME``.
    :ivar summary: which guests it is for.
    """

    name: str
    features: frozenset[str] = frozenset()
    values: tuple[tuple[str, str], ...] = ()
    mode: Mode = Mode.CUSTOM
    min_libvirt: model.Version = (0, 0, 0)
    migratable: bool = True
    listed: bool = False
    summary: str


_MINIMAL = frozenset(('relaxed', 'vapic', 'spinlocks', 'hypervclock'))
_BASELINE = _MINIMAL | {
    'vpindex',
    'runtime',
    'synic',
    'stimer',
    'stimer.direct',
    'reset',
    'frequencies',
    'tlbflush',
    'ipi',
}
_PERFORMANCE = _BASELINE | {'tlbflush.extended', 'xmm_input', 'avic'}
_NESTED = _PERFORMANCE | {'evmcs', 'emsr_bitmap', 'tlbflush.direct'}

_BUILTIN = (
    Profile(name='none', summary='No enlightenment at all.'),
    Profile(
        name='stock',
        mode=Mode.STOCK,
        summary="The running Nova's own list, untouched.",
    ),
    Profile(
        name='minimal',
        features=_MINIMAL,
        summary='The classic recommendation.',
    ),
    Profile(
        name='baseline',
        features=_BASELINE,
        summary=(
            'What every current Windows gains from and every current host '
            'has. The default.'
        ),
    ),
    Profile(
        name='performance',
        features=_PERFORMANCE,
        summary='baseline and what newer hosts add.',
    ),
    Profile(
        name='nested',
        features=_NESTED,
        listed=True,
        summary=(
            'performance and what Hyper-V, VBS or WSL 2 inside the guest '
            'gain from; the guest must see vmx or svm.'
        ),
    ),
    Profile(
        name='host-model',
        features=frozenset(('hypervclock',)),
        mode=Mode.HOST_MODEL,
        # libvirt NEWS 11.9.0
        min_libvirt=(11, 9, 0),
        listed=True,
        summary=(
            "libvirt's mode='host-model': all that the host recommends, "
            'without reenlightenment.'
        ),
    ),
    Profile(
        name='passthrough',
        features=frozenset(('hypervclock',)),
        mode=Mode.PASSTHROUGH,
        # libvirt NEWS 8.0.0
        min_libvirt=(8, 0, 0),
        migratable=False,
        listed=True,
        summary=(
            "libvirt's mode='passthrough': all that KVM has. QEMU refuses "
            'to live migrate such a guest.'
        ),
    ),
)

#: The built-in profiles by name, in the catalogue's order.
PROFILES = types.MappingProxyType(
    {profile.name: profile for profile in _BUILTIN}
)
