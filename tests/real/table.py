# SPDX-License-Identifier: Apache-2.0
"""What guests asked for and were shown, side by side, for people."""

import dataclasses
import json
import os
import pathlib
import sys

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.guest import cpuid
from tests.real import guests as all_guests

# The lab brings out what is in there.
_OUT = os.environ.get('LAB_OUT')
_NEITHER = '.'
_LEGEND = (
    'on       in the XML, and the guest reads it',
    'mode     not in the XML by name, and the guest reads it',
    'UNSEEN   in the XML, and the guest does not read it',
    f'{_NEITHER:<8} neither',
)


def _carried(seen, entry):
    """The value that a guest reads; None where that is nobody's."""
    if not cpuid.shows_hyperv(seen.leaves):
        return None
    if isinstance(entry.value, model.IntegerValue):
        registers = seen.leaves[entry.value.leaf]
        number = registers[model.Register.EBX]
        return None if number == all_guests.NEVER else str(number)
    vendor = cpuid.vendor(seen.leaves)
    return None if vendor == all_guests.DEFAULT.vendor else vendor


def _cell(seen, entry):
    asked = entry.name in seen.on
    if entry.value is not None:
        value = _carried(seen, entry)
        if value is not None and asked and value != seen.on[entry.name]:
            return f'UNSEEN {value}'
        read = value is not None
    else:
        value = 'on' if asked else 'mode'
        read = entry.name in seen.shown
    if asked:
        return value if read else 'UNSEEN'
    return value if read else _NEITHER


def _column(seen):
    if seen.status != 'ACTIVE':
        return [seen.guest.name, seen.status]
    return [
        seen.guest.name,
        seen.status,
        cpuid.vendor(seen.leaves),
        *(
            _cell(seen, entry)
            for entry in enlightenments.ENLIGHTENMENTS.values()
        ),
    ]


def text(every):
    """Lay out what was seen, a column each."""
    heads = ['guest', 'server', 'hypervisor']
    columns = [[*heads, *enlightenments.ENLIGHTENMENTS]]
    columns += [_column(seen) for seen in every]
    longest = len(columns[0])
    lines = ['' for _ in range(longest)]
    for column in columns:
        column += [''] * (longest - len(column))
        width = max(map(len, column)) + 2
        lines = [line + cell.ljust(width) for line, cell in zip(lines, column)]
    lines = [line.rstrip() for line in lines]
    lines.insert(len(heads), '-' * max(map(len, lines)))
    return '\n'.join([*lines, '', *_LEGEND, ''])


def keep(every, name):
    """Print the table; keep it, and what it is made of, in the lab's folder.

    :param every: what was seen
    :param name: of the files, without a suffix
    """
    table = text(every)
    sys.stdout.write(f'\n{table}')
    sys.stdout.flush()
    if _OUT:
        whole = [dataclasses.asdict(seen) for seen in every]
        path = pathlib.Path(_OUT, name)
        path.with_suffix('.txt').write_text(table)
        path.with_suffix('.json').write_text(
            json.dumps(whole, indent=1, default=sorted)
        )
