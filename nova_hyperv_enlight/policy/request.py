# SPDX-License-Identifier: Apache-2.0

"""What one guest asks for: its image's properties and its flavor's specs."""

import dataclasses
import enum
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import spelling
from nova_hyperv_enlight.catalogue import windows
from nova_hyperv_enlight import exception

#: Flavor extra specs are ``hyperv_enlight:NAME``.
SPEC_PREFIX = 'hyperv_enlight:'
#: Image properties are ``hyperv_enlight_NAME``, with dots as underscores.
PROPERTY_PREFIX = 'hyperv_enlight_'

_PROFILE = 'profile'
_STATES = {'on': True, 'off': False}


class Source(enum.Enum):
    """Who decides about an enlightenment, the strongest first."""

    OPERATOR = 'operator'
    FLAVOR = 'flavor'
    IMAGE = 'image'
    PROFILE = 'profile'
    WINDOWS = 'windows'
    HOST = 'host'
    LIBVIRT = 'libvirt'
    NOVA = 'nova'
    RECORD = 'record'


#: Those who switch a name by its name.
EXPLICIT = (Source.OPERATOR, Source.FLAVOR, Source.IMAGE)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One override of a flavor or an image.

    :ivar source: who asks.
    :ivar key: the property or extra spec, as it was written.
    :ivar on: turn it on, or off.
    :ivar value: the value that it is to carry, None for the default.
    :ivar written: the override as it was written, for messages.
    """

    source: Source
    key: str
    on: bool
    written: str
    value: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What one source asks for.

    :ivar profile: the profile that it names, and the key it names it by.
    :ivar features: its overrides by the enlightenment's name.
    :ivar hides: the key by which it hides the hypervisor from the guest,
        Nova's ``hide_hypervisor_id``.
    """

    profile: tuple[str, str] | None = None
    features: typing.Mapping[str, Override] = dataclasses.field(
        default_factory=dict
    )
    hides: str | None = None

    def __hash__(self) -> int:
        """Hash what a mapping cannot: decisions are kept by what they are of.

        Equal ones have equal hashes, which is all that is needed.
        """
        return hash((self.profile, frozenset(self.features), self.hides))


#: What most flavors and images ask for.
_NOTHING = Overrides()


def is_windows(os_type: str | None) -> bool:
    """Whether an ``os_type`` says Windows, in any spelling of case."""
    return (os_type or '').lower() == 'windows'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one guest asks for.

    :ivar os_type: the image's ``os_type``.
    :ivar release: the release of Windows, None where it is not known.
    :ivar firmware: ``uefi`` or ``bios``.
    :ivar dedicated: its vCPUs have host CPUs of their own.
    :ivar nested: its CPU shows vmx or svm, None where that is not known.
    :ivar encrypted: its memory is encrypted: SEV, SEV-ES, SEV-SNP or TDX.
    :ivar started: it was started before, and this is no rebuild or resize.
        What the host cannot deliver is then left out instead of refused.
    :ivar flavor: what the flavor asks for.
    :ivar image: what the image asks for.
    :ivar passed_over: what is not valid in what a guest asks for that was
        started before: a sentence for each.
    """

    os_type: str | None = None
    release: windows.Release | None = None
    firmware: str = 'bios'
    dedicated: bool = False
    nested: bool | None = None
    encrypted: bool = False
    started: bool = False
    flavor: Overrides = Overrides()
    image: Overrides = Overrides()
    passed_over: tuple[str, ...] = ()

    @property
    def is_windows(self) -> bool:
        """Whether the guest is a Windows guest, in any spelling of case."""
        return is_windows(self.os_type)


def image_spelling(word: str) -> str:
    """Return how image properties spell a word of the catalogue."""
    return word.replace('.', '_')


def _words(source: Source) -> dict[str, str]:
    """Map what a key may end in to the catalogue's word for it."""
    words = [_PROFILE, *enlightenments.ENLIGHTENMENTS, *enlightenments.VALUES]
    if source is Source.IMAGE:
        return {image_spelling(word): word for word in words}
    return {word: word for word in words}


_WORDS = {source: _words(source) for source in (Source.FLAVOR, Source.IMAGE)}
_PREFIXES = {Source.FLAVOR: SPEC_PREFIX, Source.IMAGE: PROPERTY_PREFIX}
_KINDS = {
    Source.FLAVOR: 'The flavor extra spec',
    Source.IMAGE: 'The image property',
}
# Nova's own keys for hiding the hypervisor, as its driver reads them:
# nova/virt/libvirt/driver.py, _set_features.
_HIDES = {
    Source.FLAVOR: ('hide_hypervisor_id', 'hw:hide_hypervisor_id'),
    Source.IMAGE: ('img_hide_hypervisor_id',),
}


def _refuse(source: Source, key: str, value: str, allowed: str) -> Exception:
    return exception.InvalidRequest(
        reason=f'{_KINDS[source]} {key}={value} is not valid: {allowed}.'
    )


def _state_override(source: Source, key: str, text: str) -> Override:
    if text not in _STATES:
        raise _refuse(source, key, text, 'allowed are on and off')
    return Override(
        source=source, key=key, on=_STATES[text], written=f'{key}={text}'
    )


def _value_override(
    source: Source, key: str, text: str, entry: model.Enlightenment
) -> Override:
    assert entry.value is not None
    try:
        value = entry.value.check(text)
    except ValueError as err:
        raise _refuse(source, key, text, f'allowed is {err}') from err
    # Who gives a value wants the enlightenment that carries it.
    return Override(
        source=source, key=key, on=True, value=value, written=f'{key}={text}'
    )


def _merge(
    source: Source, name: str, one: Override, other: Override
) -> Override:
    """Join a source's state and value of the same enlightenment."""
    if one.on and other.on:
        return one if one.value is not None else other
    off, value = (other, one) if one.on else (one, other)
    raise exception.InvalidRequest(
        reason=(
            f'{_KINDS[source]} {value.key} gives a value to {name!r}, which '
            f'the same {source.value} turns off ({off.key}).'
        )
    )


def _read(
    source: Source, key: str, text: str, word: str | None
) -> tuple[str, Override]:
    """Return the name that a key is about, and the override."""
    if word is None:
        prefix, words = _PREFIXES[source], _WORDS[source]
        meant = spelling.hint(key.removeprefix(prefix), words, prefix)
        known = ', '.join(prefix + name for name in words)
        raise exception.InvalidRequest(
            reason=(
                f'{_KINDS[source]} {key}={text} is not valid.{meant} '
                f'Allowed are {known}.'
            )
        )
    carrier = enlightenments.VALUES.get(word)
    if carrier is None:
        return word, _state_override(source, key, text)
    return carrier.name, _value_override(source, key, text, carrier)


def is_true(text: str) -> bool:
    """Whether a property says yes, as Nova reads it."""
    # Imported here: it takes longer than most of a command's start.
    from oslo_utils import strutils

    return bool(strutils.bool_from_string(text))


def read_overrides(
    source: Source,
    properties: typing.Mapping[str, str],
    passed_over: list[str] | None = None,
) -> Overrides:
    """Read what a flavor or an image asks for.

    :param source: whose properties these are: FLAVOR or IMAGE.
    :param properties: all of its properties; foreign ones are passed over.
    :param passed_over: takes the messages of what is not valid, which is
        passed over then; None refuses it.
    :raises InvalidRequest: a name or value that is not known; the message
        names it and what is allowed.
    """
    prefix, words = _PREFIXES[source], _WORDS[source]
    ours = [key for key in properties if key.startswith(prefix)]
    hides = next(
        (
            key
            for key in _HIDES[source]
            if key in properties and is_true(properties[key])
        ),
        None,
    )
    if not ours and hides is None:
        return _NOTHING
    profile = None
    features: dict[str, Override] = {}
    for key in sorted(ours):
        text = properties[key]
        word = words.get(key.removeprefix(prefix))
        if word == _PROFILE:
            profile = (text, key)
            continue
        try:
            name, override = _read(source, key, text, word)
            features[name] = (
                _merge(source, name, features[name], override)
                if name in features
                else override
            )
        except exception.InvalidRequest as err:
            if passed_over is None:
                raise
            passed_over.append(str(err))
    return Overrides(profile=profile, features=features, hides=hides)


def toggles(on: frozenset[str], off: frozenset[str]) -> Overrides:
    """Return what the operator asks for on the command line.

    :param on: the names that are turned on.
    :param off: the names that are turned off.
    :raises InvalidRequest: a name is in both.
    """
    both = sorted(on & off)
    if both:
        raise exception.InvalidRequest(
            reason=f'{", ".join(both)}: on and off cannot both be.'
        )
    return Overrides(
        features={
            name: Override(
                source=Source.OPERATOR,
                key=f'--{word}',
                on=word == 'on',
                written=f'--{word} {name}',
            )
            for word, features in (('on', on), ('off', off))
            for name in features
        }
    )


def from_properties(
    *,
    os_type: str | None,
    extra_specs: typing.Mapping[str, str],
    image_properties: typing.Mapping[str, str],
    nested: bool | None = None,
    encrypted: bool = False,
    started: bool = False,
) -> Request:
    """Read what a guest asks for.

    Only ``os_type`` is read for a guest that is not Windows: the plugin
    leaves what its flavor and image say of Hyper-V to Nova.

    :param os_type: the image's ``os_type``.
    :param extra_specs: the flavor's extra specs.
    :param image_properties: the image's properties.
    :param nested: whether the guest's CPU shows vmx or svm, None where that
        is not known.
    :param encrypted: whether the guest's memory is encrypted.
    :param started: whether the guest was started before: what is not valid
        is passed over then, as it may be of another release of this plugin.
    :raises InvalidRequest: see :func:`read_overrides`.
    """
    if not is_windows(os_type):
        return Request(os_type=os_type)
    # Nova's own property and spec; the flavor's wins over the image's:
    # nova/virt/hardware.py, get_cpu_policy_constraint.
    cpu_policy = extra_specs.get(
        'hw:cpu_policy', image_properties.get('hw_cpu_policy')
    )
    passed_over: list[str] = []
    taken = passed_over if started else None
    flavor = read_overrides(Source.FLAVOR, extra_specs, taken)
    image = read_overrides(Source.IMAGE, image_properties, taken)
    return Request(
        os_type=os_type,
        release=windows.find(
            image_properties.get('os_distro'),
            image_properties.get('os_version'),
        ),
        firmware=image_properties.get('hw_firmware_type', 'bios'),
        dedicated=cpu_policy == 'dedicated',
        nested=nested,
        encrypted=encrypted,
        started=started,
        flavor=flavor,
        image=image,
        passed_over=tuple(passed_over),
    )
