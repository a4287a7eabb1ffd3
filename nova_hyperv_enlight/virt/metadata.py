# SPDX-License-Identifier: Apache-2.0

"""Writes what a guest asks for into the metadata of its domain.

So that ``domain audit`` knows what the image and the flavor switch: Nova's
own metadata do not hold all of it.
"""

import copy
import typing

from lxml import etree
from nova.virt.libvirt import config as vconfig

from nova_hyperv_enlight.domxml import overrides
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.virt import adapter


class _Overrides(vconfig.LibvirtConfigObject):
    """The element as one of Nova's config objects."""

    def __init__(self, element: etree._Element) -> None:
        super().__init__(
            root_name=overrides.NAME,
            ns_prefix=overrides.PREFIX,
            ns_uri=overrides.NAMESPACE,
        )
        self._element = element

    def format_dom(self) -> etree._Element:
        return copy.copy(self._element)


def write(config: typing.Any, instance: typing.Any) -> None:
    """Add what is ours of a guest's flavor and image to its metadata.

    A guest that asks for nothing of ours has Nova's own metadata.

    :param config: Nova's LibvirtConfigGuest.
    :param instance: the ``nova.objects.Instance``.
    """
    found = overrides.Overrides(
        extra_specs=_ours(
            instance.flavor.extra_specs or {}, request.SPEC_PREFIX
        ),
        image_properties=_ours(
            adapter.image_properties(instance), request.PROPERTY_PREFIX
        ),
    )
    if found.extra_specs or found.image_properties:
        config.metadata.append(_Overrides(overrides.build(found)))


def _ours(texts: typing.Mapping[str, str], prefix: str) -> dict[str, str]:
    return {key: text for key, text in texts.items() if key.startswith(prefix)}
