# SPDX-License-Identifier: Apache-2.0

"""What differs between the releases of Nova.

The driver's methods take what they are given and hand it on, so the only
difference that it meets is in the signatures of its methods.
"""

import inspect
import typing

from nova.virt.libvirt import driver

_Method = typing.TypeVar('_Method', bound=typing.Callable[..., typing.Any])


def as_in_nova(method: _Method) -> _Method:
    """Show a method with the signature that it has in this release of Nova.

    Nova holds its drivers to the signatures of their base class, which gain
    arguments from release to release.

    :param method: a method that overrides one of Nova's libvirt driver.
    """
    own = getattr(driver.LibvirtDriver, method.__name__)
    typing.cast(typing.Any, method).__signature__ = inspect.signature(own)
    return method
