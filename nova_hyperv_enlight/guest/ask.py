# SPDX-License-Identifier: Apache-2.0

"""What a guest shall be asked about: a set by name, or another guest's."""

import dataclasses
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.guest import domain
from nova_hyperv_enlight.host import assumed
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import guests
from nova_hyperv_enlight.host import weighing
from nova_hyperv_enlight.host import xml
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings


def selection(
    conf: settings.Settings,
    on: frozenset[str],
    off: frozenset[str],
    witnesses: capabilities.Witnesses,
) -> decision.Selection:
    """Return what is asked for, whether or not the host has it.

    It is decided as for a Windows guest whose flavor says nothing.

    :param conf: the options, with the profile in question.
    :param on: names that are turned on beside the profile's.
    :param off: names that are turned off.
    :param witnesses: what is known of the host.
    :raises InvalidRequest: this cannot be asked for.
    :raises HostCannotDeliver: nor this, on this host.
    """
    decided = resolve.resolve(
        dataclasses.replace(conf, enabled=True),
        request.Request(os_type='windows', flavor=request.toggles(on, off)),
        assumed.offering(
            assumed.unasked(witnesses),
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
    asked: decision.Selection,
    on: frozenset[str],
    witnesses: capabilities.Witnesses,
) -> dict[str, str]:
    """Return what a profile asks for and no guest here can start with.

    What is turned on by name is never left out: QEMU or libvirt shall say
    why not.

    :param asked: what is asked for.
    :param on: names that are turned on beside the profile's.
    :param witnesses: what is known of the host.
    :returns: why, by name.
    """
    reasons: dict[str, str] = {}
    vendor = witnesses.vendor
    for name, entry in enlightenments.ENLIGHTENMENTS.items():
        if name not in asked.names or name in on:
            continue
        if vendor and entry.vendors and vendor not in entry.vendors:
            only = ', '.join(each.value for each in entry.vendors)
            reasons[name] = (
                f'only {only} processors have it, and the host is '
                f'{vendor.value}'
            )
        elif old := weighing.too_old(entry, witnesses):
            reasons[name] = old
    return reasons


def without(
    asked: decision.Selection, names: typing.Collection[str]
) -> decision.Selection:
    """Return a set less some names and what requires them.

    :param asked: the set.
    :param names: the names.
    """
    kept = asked.names - frozenset(names)
    while True:
        whole = frozenset(
            name
            for name in kept
            if kept.issuperset(enlightenments.ENLIGHTENMENTS[name].requires)
        )
        if whole == kept:
            break
        kept = whole
    carried = {enlightenments.ENLIGHTENMENTS[name].value_name for name in kept}
    return dataclasses.replace(
        asked,
        names=kept,
        values=frozenset(v for v in asked.values if v[0] in carried),
    )


def of_document(text: str | bytes, name: str) -> domain.Question:
    """Ask for what a saved document has.

    :param text: the XML of a domain.
    :param name: what it is, for messages.
    :raises MalformedDocument: it is no domain.
    :raises InvalidRequest: its type is not understood.
    """
    return domain.from_domain(xml.parse(text, 'domain', name))


def of_domain(connection: guests.Connection, name: str) -> domain.Question:
    """Ask for what a guest has; it is only read.

    :param connection: to its libvirt.
    :param name: the domain's name.
    :raises InvalidRequest: there is none, or its type is not understood.
    :raises MalformedDocument: its document cannot be read.
    """
    text = guests.document(connection, name)
    return of_document(text, f'domain {name}')
