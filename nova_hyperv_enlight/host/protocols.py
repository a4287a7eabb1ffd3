# SPDX-License-Identifier: Apache-2.0

"""Reads the document of a host's guest."""

import typing

from nova_hyperv_enlight import exception


class Domain(typing.Protocol):
    """The call of libvirt's virDomain that is made."""

    def XMLDesc(self, flags: int = 0) -> str:
        """Return its document."""


class Connection(typing.Protocol):
    """The call of libvirt's virConnect that is made."""

    def lookupByName(self, name: str) -> Domain:
        """Return a guest."""


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
