# SPDX-License-Identifier: Apache-2.0

"""From any notation to any other, by way of a selection."""

import collections.abc
import dataclasses
import types

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.notation import domain_xml
from nova_hyperv_enlight.notation import kubevirt
from nova_hyperv_enlight.notation import names
from nova_hyperv_enlight.notation import proxmox
from nova_hyperv_enlight.notation import qemu
from nova_hyperv_enlight.notation import statement
from nova_hyperv_enlight.notation import virt_xml


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """A way to write enlightenments down.

    :ivar name: its name.
    :ivar read: reads a text.
    :ivar write: writes a selection.
    :ivar recognises: whether a text looks like it.
    """

    name: str
    read: collections.abc.Callable[[str], statement.Reading]
    write: collections.abc.Callable[[selections.Selection], statement.Writing]
    recognises: collections.abc.Callable[[str], bool]


#: Every notation by its name.
NOTATIONS = types.MappingProxyType(
    {
        module.NAME: Notation(
            name=module.NAME,
            read=module.read,
            write=module.write,
            recognises=module.recognises,
        )
        for module in (qemu, domain_xml, virt_xml, kubevirt, proxmox, names)
    }
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """A text in its new notation.

    :ivar text: the text.
    :ivar source: the notation that it was in.
    :ivar target: the notation that it is in.
    :ivar losses: what of the old one the new one does not say.
    :ivar aside: what of the old one is no enlightenment.
    :ivar notes: what whoever uses the new one has to know.
    """

    text: str
    source: str
    target: str
    losses: tuple[statement.Loss, ...]
    aside: tuple[str, ...]
    notes: tuple[str, ...]


def recognise(text: str) -> str:
    """Return the name of the notation that a text is in.

    :raises InvalidRequest: it looks like none of them, or like several.
    """
    found = [each.name for each in NOTATIONS.values() if each.recognises(text)]
    if len(found) == 1:
        return found[0]
    what = ' and '.join(found) or 'no notation that is known'
    raise exception.InvalidRequest(
        reason=(
            f'The text looks like {what}: say by --from which notation it '
            f'is in, {", ".join(NOTATIONS)}.'
        )
    )


def convert(text: str, source: str | None, target: str) -> Conversion:
    """Convert a text.

    :param text: the text.
    :param source: the name of its notation, None to recognise it.
    :param target: the name of the target notation.
    :raises InvalidRequest: it cannot be recognised.
    :raises MalformedDocument: it cannot be read.
    """
    source = source or recognise(text)
    reading = NOTATIONS[source].read(text)
    writing = NOTATIONS[target].write(reading.selection)
    return Conversion(
        text=writing.text,
        source=source,
        target=target,
        losses=reading.losses + writing.losses,
        aside=reading.aside,
        notes=writing.notes,
    )
