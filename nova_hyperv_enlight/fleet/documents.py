# SPDX-License-Identifier: Apache-2.0

"""Reads the documents that ``host show -f json`` writes of hosts.

A document is a list of rows, one for each enlightenment; some more, whose
names begin with ``host.``, may say which host it is. It comes from another
machine, and nothing in it is taken for granted.
"""

import dataclasses
import functools
import pathlib
import types
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.fleet import host_rows
from nova_hyperv_enlight.fleet import untrusted
from nova_hyperv_enlight.host import capabilities

#: How a document writes whether a host offers something.
OFFERED = types.MappingProxyType({True: 'yes', False: 'no', None: 'unknown'})

_READ_OFFERED = {text: offered for offered, text in OFFERED.items()}
_WITNESSES = {source.value: source for source in capabilities.CapabilitySource}
#: A hundred times as long as a document is.
_MAX_BYTES = 2**20


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host of a fleet.

    :ivar name: its name.
    :ivar source: where this comes from, for messages.
    :ivar capabilities: what it offers.
    :ivar unknown: names that the source has and the catalogue lacks: a newer
        plugin's.
    """

    name: str
    source: str
    capabilities: capabilities.HostCapabilities
    unknown: tuple[str, ...] = ()

    @property
    def vendor(self) -> model.Vendor | None:
        """The vendor of its processor, None where it is not known."""
        return self.capabilities.sources.vendor


class _Row(typing.NamedTuple):
    """What a document says in one row; absent columns are empty texts."""

    name: str
    offered: str
    witness: str
    evidence: str


_NEEDED = ('name', 'offered')


def read(path: pathlib.Path) -> Host:
    """Read a file.

    The host has the name that the document says, else that of the file,
    without its last suffix.

    :raises MalformedDocument: it is not such a document; the message names
        the file and says why.
    """
    text = untrusted.read(path, _MAX_BYTES + 1)
    return parse(text, path.stem, str(path))


def parse(text: bytes, name: str, source: str) -> Host:
    """Read a document.

    :param text: the JSON.
    :param name: the name of a host whose document does not say it.
    :param source: what the document is, for messages.
    :raises MalformedDocument: it is not such a document.
    """
    with untrusted.refusing(source):
        return _host(_load(text), name, source)


def _load(text: bytes) -> dict[str, _Row]:
    """Return the rows by their names.

    :raises ValueError: these are not the rows of such a document.
    """
    rows = untrusted.load(text, _MAX_BYTES)
    if not isinstance(rows, list):
        raise ValueError(
            'it is not a list of rows, as "host show -f json" writes it'
        )
    found: dict[str, _Row] = {}
    for place, columns in enumerate(rows, 1):
        row = _row(place, columns)
        if row.name in found:
            raise ValueError(f'{row.name!r} has more than one row')
        found[row.name] = row
    if found.keys().isdisjoint(enlightenments.ENLIGHTENMENTS):
        raise ValueError('it has no row of an enlightenment')
    return found


def _row(place: int, columns: typing.Any) -> _Row:
    if not isinstance(columns, dict):
        raise ValueError(f'row {place} is not an object')
    for column in _NEEDED:
        if columns.get(column, '') == '':
            raise ValueError(f'row {place} has no {column!r}')
    texts = [columns.get(column, '') for column in _Row._fields]
    for column, text in zip(_Row._fields, texts, strict=True):
        untrusted.check_text(f'{column!r} of row {place}', text)
    return _Row(*texts)


def _host(rows: typing.Mapping[str, _Row], name: str, source: str) -> Host:
    said: dict[str, str] = {}
    features: dict[str, capabilities.Capability] = {}
    for row in rows.values():
        if row.name.startswith(host_rows.PREFIX):
            said[row.name] = row.evidence
        else:
            features[row.name] = _offer(row)
    name = said.get(host_rows.NAME) or name
    untrusted.check_text("its host's name", name)
    return Host(
        name=name,
        source=source,
        capabilities=capabilities.HostCapabilities(
            sources=host_rows.read(said, features),
            features=types.MappingProxyType(
                {
                    known: features.get(known) or _not_named(known)
                    for known in enlightenments.ENLIGHTENMENTS
                }
            ),
        ),
        unknown=tuple(sorted(features.keys() - enlightenments.ENLIGHTENMENTS)),
    )


# Hosts say the same of most things.
@functools.lru_cache(maxsize=4096)
def _offer(row: _Row) -> capabilities.Capability:
    if row.offered not in _READ_OFFERED:
        raise ValueError(
            f'{row.name!r} is offered {row.offered!r}: allowed are '
            f'{", ".join(_READ_OFFERED)}'
        )
    return capabilities.Capability(
        name=row.name,
        offered=_READ_OFFERED[row.offered],
        # A newer release may have other ones.
        source=_WITNESSES.get(row.witness, capabilities.CapabilitySource.NONE),
        evidence=row.evidence or f'its document says {row.offered}',
    )


@functools.cache
def _not_named(name: str) -> capabilities.Capability:
    return capabilities.Capability(
        name=name,
        offered=None,
        source=capabilities.CapabilitySource.NONE,
        evidence='its document does not name it',
    )
