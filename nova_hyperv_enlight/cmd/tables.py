# SPDX-License-Identifier: Apache-2.0

"""What the commands that show a table share: their columns, their lists."""

import argparse
import collections.abc
import json
import typing

from cliff import columns
from cliff import lister
from cliff import show

from nova_hyperv_enlight.catalogue import spelling
from nova_hyperv_enlight import exception

#: How many names are shown to people at once.
_FEW = 5
# Formats that have no list: they would show Python's own.
_FLAT = ('csv', 'value')


#: The column of a table that is one document instead.
_DOCUMENT = ('document',)


def for_people(parsed_args: argparse.Namespace) -> bool:
    """Whether the table is for people: none of their columns was chosen."""
    return parsed_args.formatter == 'table' and not parsed_args.columns


def document(
    found: typing.Any,
) -> tuple[tuple[str, ...], tuple[tuple[typing.Any, ...], ...]]:
    """Return the columns and the rows of a command that writes a document.

    :param found: what JSON is written of.
    """
    return _DOCUMENT, ((found,),)


def few(names: collections.abc.Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    shown = ', '.join(names[:_FEW])
    if len(names) > _FEW:
        shown += f' and {len(names) - _FEW} more'
    return shown


if typing.TYPE_CHECKING:
    _Names = columns.FormattableColumn[list[str]]
else:
    # cliff's is generic from 4.9 on; at run time any release will do.
    _Names = columns.FormattableColumn


class Names(_Names):
    """Names: all of them for programs, the first of them for people."""

    def human_readable(self) -> str:
        """Return the first names, and how many more there are."""
        return few(self._value)


def _flat(cell: typing.Any) -> typing.Any:
    """Write a list as its members, with spaces between them."""
    if not isinstance(cell, columns.FormattableColumn):
        return cell
    value = cell.machine_readable()
    if isinstance(value, (list, tuple)):
        return ' '.join(map(str, value))
    return cell


def _check_columns(
    parsed_args: argparse.Namespace,
    column_names: collections.abc.Sequence[str],
) -> None:
    """Refuse a column that is not in the table.

    cliff passes over it, or raises ValueError where there is no other.

    :raises InvalidRequest: with the columns that there are.
    """
    known = [_folded(name) for name in column_names]
    for name in (
        *parsed_args.columns,
        *getattr(parsed_args, 'sort_columns', ()),
    ):
        if _folded(name) not in known:
            raise exception.InvalidRequest(
                reason=spelling.unknown('column', name, column_names)
            )


def _folded(column: str) -> str:
    """Fold a column's spellings as cliff does."""
    return column.lower().strip().replace(' ', '_')


class Lister(lister.Lister):
    """A command that shows rows."""

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: collections.abc.Sequence[str],
        data: collections.abc.Iterable[collections.abc.Sequence[typing.Any]],
    ) -> int:
        """Write the rows, or the document.

        :returns: the exit code.
        :raises InvalidRequest: a column is asked for that there is not.
        """
        if column_names is _DOCUMENT:
            ((found,),) = data
            json.dump(found, self.app.stdout, indent=2)
            self.app.stdout.write('\n')
            return 0
        _check_columns(parsed_args, column_names)
        if parsed_args.formatter in _FLAT:
            data = ([_flat(cell) for cell in row] for row in data)
        return super().produce_output(parsed_args, column_names, data)


class ShowOne(show.ShowOne):
    """A command that shows one thing, a row for each of its columns."""

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: collections.abc.Sequence[str],
        data: collections.abc.Sequence[typing.Any],
    ) -> int:
        """Write the values.

        :returns: the exit code.
        :raises InvalidRequest: a column is asked for that there is not.
        """
        _check_columns(parsed_args, column_names)
        if parsed_args.formatter in _FLAT:
            data = [_flat(cell) for cell in data]
        return super().produce_output(parsed_args, column_names, data)
