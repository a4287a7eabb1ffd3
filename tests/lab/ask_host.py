# SPDX-License-Identifier: Apache-2.0
"""Ask the host that this runs on, and print what the plugin makes of it.

Run in the lab as ``python -m tests.lab.ask_host``; it prints JSON. The
commands of the package do the same on a libvirt that has a daemon; here it
is the embedded driver's connection.
"""

import collections.abc
import dataclasses
import json
import logging
import pathlib
import runpy
import sys
import typing

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.host import probe
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings

# The package tests.real imports all of Nova, which takes minutes under
# emulation; this module of it needs none.
_EMBEDDED = pathlib.Path(__file__).parents[1] / 'real' / 'embedded.py'
MACHINES = ('pc', 'q35')
PROFILES = ('baseline', 'performance', 'nested', 'passthrough')
# The names that libvirt 9.0 does not know yet, and the first releases that
# know every name: what would a newer libvirt get out of this kernel?
_NEWER_NAMES = frozenset(('emsr_bitmap', 'xmm_input'))
_NEWER_LIBVIRT, _NEWER_QEMU = (12, 0, 0), (11, 0, 0)


class _Sentences(logging.Handler):
    """Keep what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(f'{record.levelname} {record.getMessage()}')


def _decide(
    host: capabilities.HostCapabilities, profile: str
) -> dict[str, typing.Any]:
    asked = request.from_properties(
        os_type='windows',
        extra_specs={'hyperv_enlight:profile': profile},
        image_properties={},
        nested=True,
    )
    try:
        decided = resolve.resolve(settings.Settings(), asked, host)
    except exception.EnlightException as err:
        return {'refused': str(err)}
    return {
        'on': sorted(decided.selection.features),
        'mode': decided.selection.mode.value,
        'line': decision.one_line(decided),
    }


def _describe(host: capabilities.HostCapabilities) -> dict[str, typing.Any]:
    return {
        'offers': {
            name: [
                capability.offered,
                capability.source.value,
                capability.evidence,
            ]
            for name, capability in host.features.items()
        },
        'unasked': host.sources.unasked,
        'decisions': {profile: _decide(host, profile) for profile in PROFILES},
    }


def newer(
    host: capabilities.HostCapabilities,
    more: collections.abc.Set[str] = _NEWER_NAMES,
) -> capabilities.HostCapabilities:
    """The same kernel and processor under a libvirt that knows more.

    :param more: the names that it lists beside those that this one does.
    """
    found = host.sources
    names = (found.domcaps.features or frozenset()) | more
    return evaluation.evaluate(
        dataclasses.replace(
            found,
            libvirt=_NEWER_LIBVIRT,
            qemu=_NEWER_QEMU,
            domcaps=dataclasses.replace(found.domcaps, features=names),
        )
    )


def _kinds(connection: typing.Any) -> collections.abc.Iterator[str]:
    """The kinds of guests that libvirt says it can run."""
    text = connection.getCapabilities()
    for kind in ('kvm', 'qemu'):
        if f"<domain type='{kind}'" in text:
            yield kind


def ask() -> dict[str, typing.Any]:
    """Ask about each machine type, as nova-compute would."""
    sentences = _Sentences()
    logging.getLogger('nova_hyperv_enlight').addHandler(sentences)
    connection = runpy.run_path(str(_EMBEDDED))['get']().connection
    source = probe.Probe(lambda: connection, kvm.ask)
    answers: dict[str, typing.Any] = {'kinds': list(_kinds(connection))}
    hosts = {
        machine: source.capabilities('x86_64', machine, 'kvm')
        for machine in MACHINES
    }
    facts = hosts['pc'].sources.kernel
    answers['kernel'] = {
        'hyperv': facts.hyperv,
        'time': facts.time,
        'vendor': facts.vendor and facts.vendor.value,
        'nested': facts.nested,
        'apic': facts.apic,
    }
    answers['machines'] = {name: _describe(hosts[name]) for name in MACHINES}
    answers['newer'] = _describe(newer(hosts['pc']))
    answers['qemu'] = _describe(source.capabilities('x86_64', 'pc', 'qemu'))
    answers['logged'] = sentences.kept
    return answers


if __name__ == '__main__':
    json.dump(ask(), sys.stdout, indent=1)
