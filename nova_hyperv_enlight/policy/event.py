# SPDX-License-Identifier: Apache-2.0

"""What the event of a server's action says about its enlightenments.

nova-compute leaves such an event whenever it starts a Windows guest, and
Nova's API shows it. The first part is for people, the last one is the record.
"""

import dataclasses

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import record

#: The event where the guest has got all that its record holds.
STARTED = 'hyperv_enlight'
#: The event where the guest was started with less than its record holds.
DEGRADED = 'hyperv_enlight_degraded'
#: All names of such events.
NAMES = (STARTED, DEGRADED)

_RECORD = '; record: '


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What is left behind in the API.

    :ivar name: one of :data:`NAMES`.
    :ivar text: the decision in one line.
    :ivar recorded: what was recorded, None where that cannot be read.
    """

    name: str
    text: str
    recorded: record.Record | None


def name_of(degraded: bool) -> str:
    """Return the name of a guest's event."""
    return DEGRADED if degraded else STARTED


def details(decided: decision.Decision, recorded: record.Record) -> str:
    """Return the text of an event.

    :param recorded: the record that the guest is started with.
    """
    line = decision.one_line(decided)
    try:
        return f'{line}{_RECORD}{record.encode(recorded)}'
    except ValueError:
        # Too long to be recorded.
        return line


def read(name: str, text: str) -> Event:
    """Read an event.

    :param name: its name, one of :data:`NAMES`.
    :param text: its details.
    """
    line, _, written = text.rpartition(_RECORD)
    try:
        return Event(name=name, text=line, recorded=record.decode(written))
    except (exception.UnknownRecord, exception.MalformedDocument):
        # Another release's: people can read it all the same.
        return Event(name=name, text=text, recorded=None)
