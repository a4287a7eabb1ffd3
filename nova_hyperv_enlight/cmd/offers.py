# SPDX-License-Identifier: Apache-2.0

"""Who tells what a host offers to guests that are there."""

import dataclasses
import functools
import typing

from nova_hyperv_enlight.fleet import audit
from nova_hyperv_enlight.host import assumed
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.host import probe
from nova_hyperv_enlight.host import weighing


def of_host(connection: typing.Any, local: bool) -> audit.Offers:
    """Ask the host of a connection.

    :param connection: the connection, which may be written to.
    :param local: whether this machine's kernel is the host's.
    """
    asked = probe.Probe(
        lambda: connection, kvm.ask if local else kvm.KernelFacts
    )
    return asked.capabilities


def of_saved(saved: capabilities.Witnesses) -> audit.Offers:
    """Take a saved document for the answer about every machine type."""

    @functools.cache
    def offers(
        arch: str, machine: str | None, virt_type: str
    ) -> capabilities.HostCapabilities:
        return weighing.conclude(
            dataclasses.replace(saved, arch=arch, virt_type=virt_type)
        )

    return offers


def unasked(named: frozenset[str]) -> audit.Offers:
    """Take for granted what needs no particular host, and what is named.

    :param named: names that the operator turns on.
    """

    def offers(
        arch: str, machine: str | None, virt_type: str
    ) -> capabilities.HostCapabilities:
        # What it says of itself rules out enough.
        host = weighing.conclude(
            capabilities.Witnesses(
                virt_type=virt_type, arch=arch, machine=machine
            )
        )
        granted = assumed.portable(host)
        if granted:
            granted |= assumed.closed(named)
        return assumed.offering(host, granted, 'the host was not asked')

    return offers
