# SPDX-License-Identifier: Apache-2.0

"""The calls of libvirt-python that the package makes, with their types.

The package runs, and is checked, without libvirt-python. What each call does:
https://libvirt.org/html/libvirt-libvirt-domain.html and
https://libvirt.org/html/libvirt-libvirt-host.html.
"""

import collections.abc
import typing

from nova_hyperv_enlight import exception


class Domain(typing.Protocol):
    """The calls of libvirt's virDomain that are made."""

    def name(self) -> str:
        """Return its name."""

    def ID(self) -> int:
        """Return the number of its run, -1 where it does not run."""

    def UUIDString(self) -> str:
        """Return its UUID."""

    def isActive(self) -> int:
        """Return whether it is running."""

    def isPersistent(self) -> int:
        """Return whether its definition outlives its run."""

    def hasManagedSaveImage(self, flags: int = 0) -> int:
        """Return whether libvirt has its saved state."""

    def destroy(self) -> int:
        """Stop it at once."""

    def XMLDesc(self, flags: int = 0) -> str:
        """Return its document."""


class Connection(typing.Protocol):
    """The calls of libvirt's virConnect that are made."""

    def getURI(self) -> str:
        """Return the URI that it is connected to."""

    def getLibVersion(self) -> int:
        """Return libvirt's release."""

    def getVersion(self) -> int:
        """Return the hypervisor's release."""

    def getCapabilities(self) -> str:
        """Return the document of the host's capabilities."""

    def getDomainCapabilities(
        self,
        emulatorbin: str | None,
        arch: str | None,
        machine: str | None,
        virttype: str | None,
        flags: int = 0,
    ) -> str:
        """Return the domainCapabilities document."""

    def listAllDomains(self, flags: int = 0) -> list[Domain]:
        """Return all guests, running or not."""

    def getAllDomainStats(
        self, stats: int = 0, flags: int = 0
    ) -> list[tuple[Domain, dict[str, typing.Any]]]:
        """Return statistics of all guests."""

    def domainListGetStats(
        self,
        doms: collections.abc.Sequence[Domain],
        stats: int = 0,
        flags: int = 0,
    ) -> list[tuple[Domain, dict[str, typing.Any]]]:
        """Return statistics of some guests."""

    def lookupByName(self, name: str) -> Domain:
        """Return a guest."""

    def lookupByUUIDString(self, uuidstr: str) -> Domain:
        """Return a guest."""

    def createXML(self, xmlDesc: str, flags: int = 0) -> Domain:
        """Start a transient guest."""

    def defineXML(self, xml: str) -> object:
        """Define a guest; a running one takes it at its next start."""


def document(connection: Connection, name: str) -> str:
    """Return a guest's document; the live one, if it runs.

    :param connection: to its libvirt.
    :param name: the domain's name.
    :raises InvalidRequest: there is none, or it cannot be read.
    """
    # libvirt.libvirtError is not named in this room: the package runs
    # without libvirt-python.
    try:
        return connection.lookupByName(name).XMLDesc(0)
    except Exception as err:
        raise exception.InvalidRequest(
            reason=f'The domain {name!r} cannot be read: {err}'
        ) from err
