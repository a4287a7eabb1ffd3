# SPDX-License-Identifier: Apache-2.0

"""Tells from a guest's document whether it is Windows, and which."""

from nova_hyperv_enlight.catalogue import windows
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight.policy import request

#: libosinfo's identifiers of Windows are this and a word; with "win" before
#: that word it is the short identifier.
_OSINFO = 'http://microsoft.com/win/'


def distro(guest: domain.Domain) -> str | None:
    """Return the short identifier of a guest's system, as libosinfo's.

    Nova's metadata win over libosinfo's.
    """
    if guest.os_distro is not None:
        return guest.os_distro
    if guest.osinfo is not None and guest.osinfo.startswith(_OSINFO):
        return 'win' + guest.osinfo.removeprefix(_OSINFO)
    return None


def is_windows(guest: domain.Domain) -> bool:
    """Whether a guest's document says that it is a Windows guest."""
    if request.is_windows(guest.os_type):
        return True
    if guest.os_type is None and windows.is_windows(guest.os_distro):
        return True
    if guest.nova is not None:
        # Older releases write no os_type, but for Windows alone this:
        # nova/virt/libvirt/driver.py, _set_clock.
        return guest.os_type is None and guest.clock_offset == 'localtime'
    return (guest.osinfo or '').startswith(_OSINFO)


def release(guest: domain.Domain) -> windows.Release | None:
    """Return the release of Windows, None where it is not known."""
    return windows.find(distro(guest), None)


def to_request(guest: domain.Domain, started: bool = False) -> request.Request:
    """Return what a Windows guest asks for, as far as its document says.

    :param started: pass over what is not valid, as of a guest that was
        started before.
    :raises InvalidRequest: see :func:`.request.from_properties`.
    """
    nova = guest.nova or domain.Nova()
    properties = {**nova.image, 'hw_firmware_type': guest.firmware}
    short = distro(guest)
    if short is not None:
        properties['os_distro'] = short
    return request.from_properties(
        os_type='windows',
        extra_specs=nova.extra_specs,
        image_properties=properties,
        nested=guest.nested,
        started=started,
    )
