# SPDX-License-Identifier: Apache-2.0

"""KubeVirt's ``features.hyperv`` and ``clock.timer.hyperv``, YAML or JSON.

kubevirt.io/api/core/v1: Features, FeatureHyperv, Timer.
"""

import re

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.notation import manifest
from nova_hyperv_enlight.notation import statement
from nova_hyperv_enlight.policy import decision

NAME = 'kubevirt'

_HYPERV, _PASSTHROUGH = 'hyperv', 'hypervPassthrough'
_ENABLED, _PRESENT = 'enabled', 'present'
#: The least number of retries, and what KubeVirt takes where there is none.
MIN_RETRIES = '4096'
# How deep the domain may lie: a VirtualMachine, an instance of one, or less.
_PATHS: tuple[tuple[str, ...], ...] = (
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
            rf'{_PASSTHROUGH}):(\s|$)',
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


def read(text: str) -> statement.Reading:
    """Read a VirtualMachine, an instance of one, or its domain.

    Also ``features``, ``hyperv`` or what that holds, without the rest.

    :raises MalformedDocument: not such a document, a name that is not
        known, or a value that is not allowed.
    """
    documents = manifest.load(text, NAME)
    domains = [found for each in documents if (found := _domain(each))]
    if len(domains) > 1:
        raise statement.error(NAME, f'there are {len(domains)} guests in it')
    if not domains and text.strip() not in ('', '{}'):
        raise statement.error(
            NAME, 'there is no domain with features or a clock in it'
        )
    collector = statement.Collector(NAME)
    for domain in domains:
        _read_domain(domain, collector)
    collector.default('spinlocks', MIN_RETRIES)
    return statement.Reading(selection=collector.selection())


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


def write(selection: decision.Selection) -> statement.Writing:
    """Write the part of a guest's ``domain``, as YAML."""
    statements, losses = statement.split_nested(selection)
    passthrough = selection.mode is profiles.Mode.PASSTHROUGH
    hyperv: manifest.Mapping = {}
    timers: manifest.Mapping = {}
    for said in statements:
        reason = _why_not(said, passthrough)
        if reason is not None:
            losses.append(statement.Loss(word=said.word, reason=reason))
        elif said.entry.placement is model.Placement.TIMER:
            timers[said.entry.kubevirt or ''] = {_PRESENT: said.on}
        else:
            _write_into(hyperv, said)
    for word in statement.extras(selection):
        if word.startswith(statement.TSC_FREQUENCY):
            reason = 'KubeVirt pins the frequency by itself'
        elif passthrough:
            continue
        else:
            reason = 'KubeVirt has no such mode'
        losses.append(statement.Loss(word=word, reason=reason))
    domain: manifest.Mapping = {}
    if passthrough:
        domain['features'] = {_PASSTHROUGH: {}}
    elif hyperv:
        domain['features'] = {_HYPERV: hyperv}
    if timers:
        domain['clock'] = {'timer': timers}
    text = manifest.dump({'domain': domain} if domain else {})
    return statement.Writing(text=text, losses=tuple(losses))
