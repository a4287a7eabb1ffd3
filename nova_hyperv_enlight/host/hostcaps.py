# SPDX-License-Identifier: Apache-2.0

"""Reads libvirt's document of the host's capabilities.

https://libvirt.org/formatcaps.html
"""

from nova_hyperv_enlight.host import xml


def tsc_frequency(text: str | bytes) -> int | None:
    """Return the host's TSC frequency in Hz, None where it is not told.

    :param text: the XML, as virConnectGetCapabilities returns it.
    :raises MalformedDocument: not XML, or XML of something else.
    """
    root = xml.parse(text, 'capabilities', 'capabilities')
    counter = root.find("./host/cpu/counter[@name='tsc']")
    return None if counter is None else xml.number(counter.get('frequency'))
