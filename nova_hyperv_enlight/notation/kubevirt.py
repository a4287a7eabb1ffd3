# SPDX-License-Identifier: Apache-2.0

"""KubeVirt's ``features.hyperv`` and ``clock.timer.hyperv``, YAML or JSON.

And the same of a preference, ``preferredHyperv`` and ``preferredTimer``.
https://github.com/kubevirt/kubevirt: staging/src/kubevirt.io/api,
core/v1/schema.go, Features, FeatureHyperv and Timer;
instancetype/v1beta1/types.go, VirtualMachinePreferenceSpec.
"""

import collections.abc
import re

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.notation import manifest
from nova_hyperv_enlight.notation import statement

NAME = 'kubevirt'

_HYPERV, _PASSTHROUGH = 'hyperv', 'hypervPassthrough'
_ENABLED, _PRESENT = 'enabled', 'present'
#: The least number of retries, and what KubeVirt takes where there is none.
MIN_RETRIES = '4096'
_PREFERENCES = ('VirtualMachinePreference', 'VirtualMachineClusterPreference')
_PREFERRED = {
    ('features', 'preferredHyperv'): ('features', _HYPERV),
    ('clock', 'preferredTimer'): ('clock', 'timer'),
}
# How deep the domain may lie: a pool, a VirtualMachine, an instance of one,
# or less.
_PATHS: tuple[tuple[str, ...], ...] = (
    (
        *('spec', 'virtualMachineTemplate'),
        *('spec', 'template', 'spec', 'domain'),
    ),
    ('spec', 'template', 'spec', 'domain'),
    ('template', 'spec', 'domain'),
    ('spec', 'domain'),
    ('domain',),
    (),
)
_NAMES = {
    entry.kubevirt: entry
    for entry in enlightenments.ENLIGHTENMENTS.values()
    if entry.kubevirt and entry.placement is model.Placement.FEATURE
}
_TIMERS = {
    entry.kubevirt: entry
    for entry in enlightenments.ENLIGHTENMENTS.values()
    if entry.kubevirt and entry.placement is model.Placement.TIMER
}
# YAML 1.1, which Kubernetes reads, has all of them.
_BOOLEANS = {
    **dict.fromkeys(('true', 'yes', 'on', 'y'), True),
    **dict.fromkeys(('false', 'no', 'off', 'n'), False),
}


def recognises(text: str) -> bool:
    """Whether a text looks like this notation."""
    return bool(
        re.match(r'\s*[{]', text)
        or re.search(
            rf'^[ -]*(apiVersion|spec|domain|features|clock|{_HYPERV}|'
            rf'{_PASSTHROUGH}|preferredHyperv|preferredTimer):(\s|$)',
            text,
            re.MULTILINE,
        )
    )


def _mapping(holder: manifest.Mapping, key: str) -> manifest.Mapping:
    """Return a mapping that may be missing."""
    found = holder.get(key)
    if found is None or found in ('', 'null', '~'):
        return {}
    if not isinstance(found, dict):
        raise statement.error(NAME, f'{key!r} is not a mapping')
    return found


def _follow(
    document: manifest.Mapping, path: tuple[str, ...]
) -> manifest.Mapping | None:
    for key in path:
        if key not in document:
            return None
        document = _mapping(document, key)
    return document


def _domain(document: manifest.Mapping) -> manifest.Mapping | None:
    """Return the domain that a document holds, or a part of one."""
    for path in _PATHS:
        found = _follow(document, path)
        if found is None or (path and not found):
            continue
        if 'features' in found or 'clock' in found or path:
            return found
        if _HYPERV in found or _PASSTHROUGH in found:
            # Features without their name, or a timer without its.
            return {'features': found}
        if found and found.keys() <= _members('').keys():
            return {'features': {_HYPERV: found}}
    return None


def _members(parent: str) -> dict[str, model.Enlightenment]:
    """Return what a mapping of KubeVirt's may hold, by its own names."""
    prefix = f'{parent}.' if parent else ''
    return {
        name.removeprefix(prefix): entry
        for name, entry in _NAMES.items()
        if name.startswith(prefix) and '.' not in name.removeprefix(prefix)
    }


def _boolean(holder: manifest.Mapping, key: str) -> bool:
    """Return a switch, which is on unless it says otherwise."""
    text = holder.get(key, 'true')
    word = text.lower() if isinstance(text, str) else ''
    if word not in _BOOLEANS:
        raise statement.error(NAME, f'{key!r} is not true or false')
    return _BOOLEANS[word]


def _read_features(
    features: manifest.Mapping, parent: str, collector: statement.Collector
) -> None:
    members = _members(parent)
    for key in features:
        if key not in members:
            if parent and key in (_ENABLED, parent):
                continue
            raise collector.error(
                f'{statement.quote(key)} of {parent or _HYPERV} is not known; '
                f'there are {", ".join(members)}'
            )
        entry = members[key]
        body = _mapping(features, key)
        on = _boolean(body, _ENABLED)
        collector.switch(entry.name, on)
        value = body.get(key)
        if entry.value is not None and value is not None:
            if not isinstance(value, str):
                raise collector.error(f'{key!r} is not a value')
            collector.give(entry.name, value)
        elif key in body:
            raise collector.error(f'{key!r} of {key} is not known')
        _read_features(body, entry.kubevirt or '', collector)


def _read_domain(
    domain: manifest.Mapping, collector: statement.Collector
) -> None:
    features = _mapping(domain, 'features')
    _read_features(_mapping(features, _HYPERV), '', collector)
    if _PASSTHROUGH in features and _boolean(
        _mapping(features, _PASSTHROUGH), _ENABLED
    ):
        if _mapping(features, _HYPERV):
            raise collector.error(f'{_PASSTHROUGH} excludes {_HYPERV}')
        collector.mode = profiles.Mode.PASSTHROUGH
    timers = _mapping(_mapping(domain, 'clock'), 'timer')
    for name, entry in _TIMERS.items():
        if name in timers:
            collector.switch(
                entry.name, _boolean(_mapping(timers, name), _PRESENT)
            )


def _is_preference(document: manifest.Mapping) -> bool:
    return document.get('kind') in _PREFERENCES or (
        'kind' not in document
        and any(
            preferred in _mapping(document, section)
            for section, preferred in _PREFERRED
        )
    )


def _prefer(
    domain: manifest.Mapping, preference: manifest.Mapping
) -> manifest.Mapping:
    """Return a domain with what it leaves to its preference.

    As KubeVirt does, pkg/instancetype/preference/apply: of ``hyperv`` name
    by name, of the timers only where the domain has none at all.
    """
    body = _mapping(preference, 'spec') or preference
    done = dict(domain)
    for (section, preferred), (_, key) in _PREFERRED.items():
        found = _mapping(_mapping(body, section), preferred)
        own = dict(_mapping(done, section))
        if key == _HYPERV:
            found = {**found, **_mapping(own, key)}
        elif key in own:
            continue
        if found:
            own[key] = found
            done[section] = own
    return done


def _reference(document: manifest.Mapping) -> tuple[str | None, str] | None:
    """Return the kind and the name of a machine's preference, if it has one.

    A machine says it by ``spec.preference``, and that of a pool by its own.
    """
    for path in (
        ('spec', 'preference'),
        ('spec', 'virtualMachineTemplate', 'spec', 'preference'),
    ):
        found = _follow(document, path)
        if found and 'name' in found:
            # KubeVirt's default.
            return found.get('kind', _PREFERENCES[1]), found['name']
        if found and 'inferFromVolume' in found:
            return None, f'of the volume {found["inferFromVolume"]}'
    return None


def _guest(
    documents: list[manifest.Mapping],
) -> tuple[manifest.Mapping | None, list[statement.Loss]]:
    """Return the domain of the guest in these documents.

    :raises MalformedDocument: there are several.
    """
    preferences, machines = [], []
    for document in documents:
        if _is_preference(document):
            preferences.append(document)
            continue
        domain = _domain(document)
        if domain:
            machines.append((domain, _reference(document)))
    if not machines and len(preferences) == 1:
        return _prefer({}, preferences[0]), []
    if len(machines) > 1 or (preferences and not machines):
        raise statement.error(
            NAME,
            f'there are {len(machines)} guests and {len(preferences)} '
            'preferences in it: what is read is one guest and its preference, '
            'or one preference',
        )
    if not machines:
        return None, []
    ((domain, reference),) = machines
    if reference is None:
        return domain, []
    for each in preferences:
        name = _mapping(each, 'metadata').get('name')
        if (each.get('kind'), name) == reference:
            return _prefer(domain, each), []
    return domain, [
        statement.Loss(
            word=f'preference: {reference[1]}',
            reason='it is not in the text, and may hold more',
        )
    ]


def _losses_of_devices(domain: manifest.Mapping) -> list[statement.Loss]:
    devices = _mapping(domain, 'devices').get('panicDevices')
    return [
        statement.Loss(
            word='panicDevices: hyperv',
            reason='it is a device: QEMU has hv-crash for it',
        )
        for each in (devices if isinstance(devices, list) else ())
        if isinstance(each, dict) and each.get('model') == 'hyperv'
    ]


def read(text: str) -> statement.Reading:
    """Read a VirtualMachine, an instance of one, or its domain.

    Also ``features``, ``hyperv`` or what that holds, without the rest; and a
    preference, alone or beside the machine that refers to it.

    :raises MalformedDocument: not such a document, a name that is not
        known, or a value that is not allowed.
    """
    documents = manifest.load(text, NAME)
    domain, losses = _guest(documents)
    if domain is None and text.strip() not in ('', '{}'):
        raise statement.error(
            NAME, 'there is no domain with features or a clock in it'
        )
    collector = statement.Collector(NAME)
    if domain is not None:
        _read_domain(domain, collector)
        losses.extend(_losses_of_devices(domain))
    collector.default('spinlocks', MIN_RETRIES)
    return statement.Reading(
        selection=collector.selection(), losses=tuple(losses)
    )


def _value(said: statement.Statement) -> object:
    assert said.value is not None
    if isinstance(said.entry.value, model.IntegerValue):
        return int(said.value)
    return manifest.Quoted(said.value)


def _why_not(said: statement.Statement, passthrough: bool) -> str | None:
    """Return why KubeVirt cannot say something, None if it can."""
    entry = said.entry
    if entry.kubevirt is None:
        return 'KubeVirt has no name for it'
    if passthrough and entry.placement is model.Placement.FEATURE:
        return f'KubeVirt allows nothing beside {_PASSTHROUGH}'
    if isinstance(entry.value, model.IntegerValue) and said.on:
        if int(said.value or '0') < int(MIN_RETRIES):
            return f'KubeVirt takes no fewer than {MIN_RETRIES}'
    return None


def _write_into(holder: manifest.Mapping, said: statement.Statement) -> None:
    *parents, key = (said.entry.kubevirt or '').split('.')
    for parent in parents:
        holder = holder[parent]
    body: manifest.Mapping = {} if said.on else {_ENABLED: False}
    if said.value is not None:
        body[key] = _value(said)
    holder[key] = body


def _losses_of_extras(
    selection: selections.Selection, passthrough: bool
) -> collections.abc.Iterator[statement.Loss]:
    for word in statement.extras(selection):
        if word.startswith(statement.TSC_FREQUENCY):
            reason = 'KubeVirt pins the frequency by itself'
            yield statement.Loss(word=word, reason=reason)
        elif not passthrough:
            reason = 'KubeVirt has no such mode'
            yield statement.Loss(word=word, reason=reason)


def write(selection: selections.Selection) -> statement.Writing:
    """Write the part of a guest's ``domain``, as YAML."""
    mode = statement.mode_but_libvirts(selection)
    passthrough = mode is profiles.Mode.PASSTHROUGH
    statements, losses = statement.split_nested(selection, mode)
    hyperv: manifest.Mapping = {}
    timers: manifest.Mapping = {}
    losses.extend(_losses_of_extras(selection, passthrough))
    for said in statements:
        reason = _why_not(said, passthrough)
        if reason is not None:
            if not statement.goes_without_saying(said, mode):
                losses.append(statement.Loss(word=said.word, reason=reason))
        elif said.entry.placement is model.Placement.TIMER:
            timers[said.entry.kubevirt or ''] = {_PRESENT: said.on}
        else:
            _write_into(hyperv, said)
    domain: manifest.Mapping = {}
    if passthrough:
        # KubeVirt takes the value for granted: pkg/virt-handler/vm.go,
        # pkg/virt-launcher/virtwrap/converter/compute/hypervisor_features.go.
        domain['features'] = {_PASSTHROUGH: {_ENABLED: True}}
    elif hyperv:
        domain['features'] = {_HYPERV: hyperv}
    if timers:
        domain['clock'] = {'timer': timers}
    text = manifest.dump({'domain': domain} if domain else {})
    return statement.Writing(text=text, losses=tuple(losses))
