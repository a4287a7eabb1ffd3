# SPDX-License-Identifier: Apache-2.0

"""Reads libvirt's document of the host's capabilities.

https://libvirt.org/formatcaps.html
"""

import dataclasses

from nova_hyperv_enlight.host import parsing


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tsc:
    """The host's time stamp counter.

    :ivar frequency: in Hz, None where it is not told.
    :ivar scaling: whether it can be scaled to the frequency of a guest, None
        where it is not told.
    """

    frequency: int | None = None
    scaling: bool | None = None


def tsc(text: str | bytes) -> Tsc:
    """Return what is told of the host's time stamp counter.

    :param text: the XML, as virConnectGetCapabilities returns it.
    :raises MalformedDocument: not XML, or XML of something else.
    """
    root = parsing.parse(text, 'capabilities', 'capabilities')
    counter = root.find("./host/cpu/counter[@name='tsc']")
    if counter is None:
        return Tsc()
    return Tsc(
        frequency=parsing.number(counter.get('frequency')),
        scaling={'yes': True, 'no': False}.get(counter.get('scaling', '')),
    )
