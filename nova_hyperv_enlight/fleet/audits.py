# SPDX-License-Identifier: Apache-2.0

"""The document that ``domain audit -f json`` writes of a host's guests.

It has a version, so that a document of another release is refused and not
misread. It comes from another machine, and nothing in it is taken for granted.
"""

import collections
import collections.abc
import dataclasses
import pathlib
import typing

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import documents
from nova_hyperv_enlight.fleet import untrusted

#: What such a document says that it is.
KIND = 'nova-hyperv-enlight audit'
#: Raised with each change that a reader must know of.
VERSION = 1

#: Some thousand guests with all that can be found in each.
_MAX_BYTES = 2**26
#: Each severity by its word.
SEVERITIES = {level.word: level for level in model.Severity}
_ORDER = {level: place for place, level in enumerate(model.Severity)}
_AGAIN = (
    'it is of an older release: run "nova-hyperv-enlight domain audit -f '
    'json" of this release on that host again'
)


class Finding(typing.NamedTuple):
    """One finding.

    :ivar code: the stable code of its kind.
    :ivar name: the enlightenment, timer or property; empty where it is about
        the guest as a whole.
    :ivar severity: how bad it is.
    :ivar text: what was found, one sentence.
    :ivar to_do: what is to be done about it.
    """

    code: str
    name: str
    severity: model.Severity
    text: str
    to_do: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """One Windows guest, or a domain that could not be read.

    :ivar domain: the name of its domain; empty where only Nova is known.
    :ivar server: the name of Nova's server, empty without one.
    :ivar uuid: its UUID, which is also the server's; empty if not known.
    :ivar project: the name or ID of the server's project.
    :ivar flavor: the name of the server's flavor.
    :ivar has: what is on in it; None where that is not known.
    :ivar wanted: what it would get; None where that is not known or left to
        libvirt.
    :ivar findings: what was found, the worst first.
    """

    domain: str
    server: str = ''
    uuid: str = ''
    project: str = ''
    flavor: str = ''
    has: tuple[str, ...] | None = None
    wanted: tuple[str, ...] | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """What people call it."""
        return self.server or self.domain

    @property
    def lacks(self) -> tuple[str, ...]:
        """What it would get and does not have."""
        if self.has is None or self.wanted is None:
            return ()
        return tuple(name for name in self.wanted if name not in self.has)

    @property
    def share(self) -> str:
        """How much it has of what it would get, for people."""
        if self.wanted is None:
            return '-' if self.has is None else str(len(self.has))
        if self.has is None:
            return f'? of {len(self.wanted)}'
        there = len(self.wanted) - len(self.lacks)
        return f'{there} of {len(self.wanted)}'

    @property
    def worst(self) -> Finding | None:
        """The worst of its findings, None where there is none."""
        return self.findings[0] if self.findings else None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The audit of one host.

    :ivar host: its name, empty where it is not known.
    :ivar time: when it was made, in UTC, as ISO 8601 has it.
    :ivar domains: how many domains were looked at.
    :ivar whole: whether these are all domains of the host.
    :ivar least: findings that are less severe were left out, and guests
        without any other.
    :ivar guests: the Windows guests among them, and what could not be read.
    """

    host: str
    time: str
    domains: int
    whole: bool
    least: model.Severity
    guests: tuple[Guest, ...]


def read_all(
    paths: collections.abc.Iterable[pathlib.Path], least: model.Severity
) -> list[Audit]:
    """Read the documents of many hosts: each of them, or none.

    :param paths: the files.
    :param least: findings that are less severe are left out, and guests
        without any other.
    :returns: the audits by the names of the hosts.
    :raises InvalidRequest: two are of one host, or one has less than what is
        asked for.
    :raises MalformedDocument: one is not such a document.
    """
    reader = Reader()
    sources: dict[str, str] = {}
    found = []
    for path in paths:
        audit = reader.read(path)
        documents.note(
            sources, audit.host, str(path), ' Leave the older one out.'
        )
        if not least.reaches(audit.least):
            raise exception.InvalidRequest(
                reason=(
                    f'{path} has only what {audit.least.word} or worse is: '
                    'run "nova-hyperv-enlight domain audit -f json" on that '
                    'host without --severity, or say --severity '
                    f'{audit.least.word} here.'
                )
            )
        found.append(reached(audit, least))
    return sorted(found, key=lambda audit: audit.host)


def reached(audit: Audit, least: model.Severity) -> Audit:
    """Return an audit without what is less severe.

    :param least: this severity or worse is left.
    """
    if least is model.Severity.NO_EFFECT:
        return audit
    guests = (
        dataclasses.replace(
            guest,
            findings=tuple(
                each for each in guest.findings if each.severity.reaches(least)
            ),
        )
        for guest in audit.guests
    )
    return dataclasses.replace(
        audit, guests=tuple(guest for guest in guests if guest.findings)
    )


def on_several(found: collections.abc.Iterable[Audit]) -> dict[str, list[str]]:
    """Return the UUIDs of guests that more than one host has, with these."""
    places: dict[str, list[str]] = {}
    for audit in found:
        for guest in audit.guests:
            if guest.uuid:
                places.setdefault(guest.uuid, []).append(audit.host)
    return {uuid: hosts for uuid, hosts in places.items() if len(hosts) > 1}


def worst_first(
    findings: collections.abc.Iterable[Finding],
) -> tuple[Finding, ...]:
    """Return findings by how bad they are, else in their order."""
    return tuple(sorted(findings, key=lambda each: _ORDER[each.severity]))


def count(
    guests: collections.abc.Iterable[Guest],
) -> collections.Counter[model.Severity]:
    """Return how many findings there are of each severity."""
    return collections.Counter(
        finding.severity for guest in guests for finding in guest.findings
    )


def in_words(counts: typing.Mapping[model.Severity, int]) -> str:
    """Return such counts for people, the worst first."""
    texts = [
        f'{level.word} {counts[level]}'
        for level in model.Severity
        if counts.get(level)
    ]
    return ', '.join(texts)


def write(audit: Audit) -> dict[str, typing.Any]:
    """Return the document of an audit, for JSON."""
    return {
        'document': KIND,
        'version': VERSION,
        'host': audit.host,
        'time': audit.time,
        'domains': audit.domains,
        'whole': audit.whole,
        'severity': audit.least.word,
        'guests': [
            {
                'domain': guest.domain,
                'server': guest.server,
                'uuid': guest.uuid,
                'project': guest.project,
                'flavor': guest.flavor,
                'has': guest.has,
                'wanted': guest.wanted,
                'findings': [
                    {**each._asdict(), 'severity': each.severity.word}
                    for each in guest.findings
                ],
            }
            for guest in audit.guests
        ],
    }


class Reader:
    """Reads documents; what is the same in them is kept once."""

    def __init__(self) -> None:
        self._findings: dict[tuple[str, ...], Finding] = {}
        self._sets: dict[tuple[str, ...], tuple[str, ...]] = {}

    def read(self, path: pathlib.Path) -> Audit:
        """Read a file.

        A host whose document does not say its name has that of the file,
        without its suffix.

        :raises MalformedDocument: it is not such a document; the message
            says why, and what to do about one of another release.
        """
        text = untrusted.read(path, _MAX_BYTES + 1)
        with untrusted.refusing(str(path)):
            return self._audit(untrusted.load(text, _MAX_BYTES), path.stem)

    def _audit(self, found: typing.Any, name: str) -> Audit:
        if isinstance(found, list):
            raise ValueError(_AGAIN)
        if not isinstance(found, dict) or found.get('document') != KIND:
            raise ValueError(
                'it is not a document that "nova-hyperv-enlight domain audit '
                '-f json" writes'
            )
        untrusted.check_version(found, VERSION, _AGAIN)
        domains = found.get('domains')
        if not isinstance(domains, int) or isinstance(domains, bool):
            raise ValueError("'domains' is not a number")
        whole = found.get('whole')
        if not isinstance(whole, bool):
            raise ValueError("'whole' is neither true nor false")
        return Audit(
            host=_text(found, 'host') or name,
            time=_text(found, 'time'),
            domains=domains,
            whole=whole,
            least=_severity(_text(found, 'severity')),
            guests=tuple(map(self._guest, _objects(found, 'guests'))),
        )

    def _guest(self, found: dict[str, typing.Any]) -> Guest:
        return Guest(
            domain=_text(found, 'domain'),
            server=_text(found, 'server'),
            uuid=_text(found, 'uuid'),
            project=_text(found, 'project'),
            flavor=_text(found, 'flavor'),
            has=self._set(found, 'has'),
            wanted=self._set(found, 'wanted'),
            findings=worst_first(
                map(self._finding, _objects(found, 'findings'))
            ),
        )

    def _set(
        self, found: dict[str, typing.Any], key: str
    ) -> tuple[str, ...] | None:
        names = found.get(key)
        if names is None:
            return None
        if not isinstance(names, list):
            raise ValueError(f'{key!r} is not a list')
        known = tuple(untrusted.check_text(key, name) for name in names)
        return self._sets.setdefault(known, known)

    def _finding(self, found: dict[str, typing.Any]) -> Finding:
        texts = tuple(_text(found, key) for key in Finding._fields)
        if texts not in self._findings:
            code, name, severity, text, to_do = texts
            self._findings[texts] = Finding(
                code, name, _severity(severity), text, to_do
            )
        return self._findings[texts]


def _objects(
    found: dict[str, typing.Any], key: str
) -> list[dict[str, typing.Any]]:
    listed = found.get(key)
    if not isinstance(listed, list) or not all(
        isinstance(each, dict) for each in listed
    ):
        raise ValueError(f'{key!r} is not a list of objects')
    return listed


def _severity(word: str) -> model.Severity:
    if word not in SEVERITIES:
        raise ValueError(f'there is no severity {word!r}')
    return SEVERITIES[word]


def _text(found: dict[str, typing.Any], key: str) -> str:
    return untrusted.check_text(repr(key), found.get(key))
