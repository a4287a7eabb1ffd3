# SPDX-License-Identifier: Apache-2.0

"""What a guest shall be asked about: a set by name, or another guest's."""

import dataclasses
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.guest import probe_domain
from nova_hyperv_enlight.host import assumed
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.host import parsing
from nova_hyperv_enlight.host import protocols
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings


def selection(
    conf: settings.Settings,
    on: frozenset[str],
    off: frozenset[str],
    sources: capabilities.Sources,
) -> selections.Selection:
    """Return what is asked for, whether or not the host has it.

    It is decided as for a Windows guest whose flavor says nothing.

    :param conf: the options, with the profile in question.
    :param on: names that are turned on beside the profile's.
    :param off: names that are turned off.
    :param sources: what is known of the host.
    :raises InvalidRequest: this cannot be asked for.
    :raises HostCannotDeliver: nor this, on this host.
    """
    decided = resolve.resolve(
        dataclasses.replace(conf, enabled=True),
        request.Request(os_type='windows', flavor=request.toggles(on, off)),
        assumed.offering(
            assumed.unasked(sources),
            frozenset(enlightenments.ENLIGHTENMENTS),
            'it shall be seen',
        ),
    )
    if not decided.acts:
        raise exception.InvalidRequest(
            reason=(
                f'Profile {decided.profile!r} leaves the choice to Nova: '
                "give a guest's XML instead."
            )
        )
    return decided.selection


def left_out(
    asked: selections.Selection,
    on: frozenset[str],
    sources: capabilities.Sources,
) -> dict[str, str]:
    """Return what a profile asks for and no guest here can start with.

    What is turned on by name is never left out: QEMU or libvirt shall say
    why not.

    :param asked: what is asked for.
    :param on: names that are turned on beside the profile's.
    :param sources: what is known of the host.
    :returns: why, by name.
    """
    reasons: dict[str, str] = {}
    vendor = sources.vendor
    for name, entry in enlightenments.ENLIGHTENMENTS.items():
        if name not in asked.features or name in on:
            continue
        if vendor and entry.vendors and vendor not in entry.vendors:
            only = ', '.join(each.value for each in entry.vendors)
            reasons[name] = (
                f'only {only} processors have it, and the host is '
                f'{vendor.value}'
            )
        elif old := evaluation.too_old(entry, sources):
            reasons[name] = old
    return reasons


def without(
    asked: selections.Selection, features: typing.Collection[str]
) -> selections.Selection:
    """Return a set less some names and what requires them.

    :param asked: the set.
    :param features: the names.
    """
    kept = graph.closed_part(
        asked.features.difference(features), frozenset([None])
    )
    carried = {enlightenments.ENLIGHTENMENTS[name].value_name for name in kept}
    return dataclasses.replace(
        asked,
        features=kept,
        values=frozenset(v for v in asked.values if v[0] in carried),
    )


def of_document(text: str | bytes, name: str) -> probe_domain.Question:
    """Ask for what a saved document has.

    :param text: the XML of a domain.
    :param name: what it is, for messages.
    :raises MalformedDocument: it is no domain.
    :raises InvalidRequest: its type is not understood.
    """
    return probe_domain.from_domain(parsing.parse(text, 'domain', name))


def of_domain(
    connection: protocols.Connection, name: str
) -> probe_domain.Question:
    """Ask for what a guest has; it is only read.

    :param connection: to its libvirt.
    :param name: the domain's name.
    :raises InvalidRequest: there is none, or its type is not understood.
    :raises MalformedDocument: its document cannot be read.
    """
    text = protocols.document(connection, name)
    return of_document(text, f'domain {name}')
