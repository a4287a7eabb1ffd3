# SPDX-License-Identifier: Apache-2.0

"""The documents that ``host show -f json`` writes of hosts.

With ``--describe`` a document has a version, says which host it is, and has a
row for each enlightenment. Without, it is a list of these rows alone; in
that of an older release some rows, whose names begin with ``host.``, say
which host it is. A document comes from another machine, and nothing in it is
taken for granted.
"""

import dataclasses
import functools
import pathlib
import types
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import host_rows
from nova_hyperv_enlight.fleet import untrusted
from nova_hyperv_enlight.host import capabilities

#: What a document says that it is.
KIND = 'nova-hyperv-enlight host'
#: Raised with each change that a reader must know of.
VERSION = 1
#: How a document writes whether a host offers something.
OFFERED = types.MappingProxyType({True: 'yes', False: 'no', None: 'unknown'})

_READ_OFFERED = {text: offered for offered, text in OFFERED.items()}
_WITNESSES = {source.value: source for source in capabilities.CapabilitySource}
#: A hundred times as long as a document is.
_MAX_BYTES = 2**20
_AGAIN = (
    'it has no version: run "nova-hyperv-enlight host show --describe -f '
    'json" on that host again'
)
_NO_DOCUMENT = (
    'it is neither a document nor a list of rows, as "host show -f json" '
    'writes them'
)


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


def note(
    sources: dict[str, str], name: str, source: str, to_do: str = ''
) -> None:
    """Note where a host comes from, which must be one place.

    :param sources: those of the hosts before, by the hosts' names.
    :param name: the host's name.
    :param source: where it comes from, for messages.
    :param to_do: what else the message says.
    :raises InvalidRequest: the host is among those before.
    """
    if name in sources:
        raise exception.InvalidRequest(
            reason=(
                f'The host {name!r} is there twice: {sources[name]} and '
                f'{source}.{to_do}'
            )
        )
    sources[name] = source


def rows(host: capabilities.HostCapabilities) -> list[dict[str, str]]:
    """Return a row for each enlightenment of a host."""
    return [
        _Row(
            capability.name,
            OFFERED[capability.offered],
            capability.source.value,
            capability.evidence,
        )._asdict()
        for capability in host.features.values()
    ]


def write(
    name: str | None, host: capabilities.HostCapabilities
) -> dict[str, typing.Any]:
    """Return the document of a host, for JSON.

    :param name: the host's name, None where it is not known.
    :param host: what it offers.
    """
    facts = host_rows.describe(name, host.sources)
    return {
        'document': KIND,
        'version': VERSION,
        'host': {
            row.removeprefix(host_rows.PREFIX): text for row, text in facts
        },
        'enlightenments': rows(host),
    }


def _load(text: bytes) -> dict[str, _Row]:
    """Return the rows by their names.

    :raises ValueError: this is no such document.
    """
    document = untrusted.load(text, _MAX_BYTES)
    found: dict[str, _Row] = {}
    if isinstance(document, dict):
        found, document = _facts(document), document.get('enlightenments')
    if not isinstance(document, list):
        raise ValueError(_NO_DOCUMENT)
    for place, columns in enumerate(document, 1):
        row = _row(place, columns)
        if row.name in found:
            raise ValueError(f'{row.name!r} has more than one row')
        found[row.name] = row
    if found.keys().isdisjoint(enlightenments.ENLIGHTENMENTS):
        raise ValueError('it has no row of an enlightenment')
    return found


def _facts(document: dict[str, typing.Any]) -> dict[str, _Row]:
    """Return what a document says of its host, as rows."""
    if document.get('document') != KIND:
        raise ValueError(_NO_DOCUMENT)
    untrusted.check_version(document, VERSION, _AGAIN)
    facts = document.get('host')
    if not isinstance(facts, dict):
        raise ValueError("'host' is not an object")
    return {
        host_rows.PREFIX + name: _Row(
            host_rows.PREFIX + untrusted.check_text('a name', name),
            '-',
            '-',
            untrusted.check_text(repr(name), text),
        )
        for name, text in facts.items()
    }


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
