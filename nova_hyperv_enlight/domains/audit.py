# SPDX-License-Identifier: Apache-2.0

"""Audits guests, one after another: a connection's, or saved ones.

Nothing is kept of a guest but what was found in it.
"""

import collections.abc
import dataclasses
import functools
import typing

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domains import apply
from nova_hyperv_enlight.domains import findings
from nova_hyperv_enlight.domains import recognition
from nova_hyperv_enlight.domains import rules
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import protocols
from nova_hyperv_enlight.policy import settings

#: libvirt's VIR_ERR_NO_DOMAIN: https://libvirt.org/html/libvirt-virterror.html
_NO_DOMAIN = 42
#: What a guest's document says.
_Document = domain.Domain


class Audited(typing.Protocol):
    """What is asked of a guest: libvirt's virDomain, or a saved one."""

    def name(self) -> str:
        """Return its name."""

    def isActive(self) -> int:
        """Return whether it is running."""

    def XMLDesc(self, flags: int = 0) -> str:
        """Return its document."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of the audit of one guest.

    :ivar domain: its name.
    :ivar windows: whether it is a Windows guest; None where it could not be
        read.
    :ivar guest: what its document says, None where it is no Windows guest.
    :ivar wanted: what it would get, None where that is not known.
    :ivar found: what was found in it.
    :ivar pending: those of them that its next start from shut off cures.
    """

    domain: str
    windows: bool | None
    guest: _Document | None = None
    wanted: selections.Selection | None = None
    found: tuple[findings.Finding, ...] = ()
    pending: frozenset[findings.Finding] = frozenset()

    def to_do(self, finding: findings.Finding) -> str:
        """Say what is to be done about one of its findings."""
        if finding in self.pending:
            return 'Shut it down and start it: its next XML is cured.'
        kind = finding.kind
        if self.guest is not None and self.guest.nova is not None:
            return kind.nova_cure or kind.cure
        if kind.fix is not None:
            return f'domain apply --fix {kind.code}'
        return kind.cure


def select(
    connection: protocols.Connection, names: collections.abc.Collection[str]
) -> list[protocols.Domain]:
    """Return the guests to audit: as they are named, else by their names.

    :param connection: to their libvirt.
    :param names: the names of those that are wanted, none for all.
    :raises InvalidRequest: there is no guest of that name, or libvirt does
        not list them.
    """
    if names:
        return [look_up(connection, name) for name in dict.fromkeys(names)]
    # libvirt.libvirtError is not named in this room: the package runs
    # without libvirt-python.
    try:
        # libvirt lists them in another order each time.
        return sorted(connection.listAllDomains(), key=lambda g: g.name())
    except Exception as err:
        raise exception.InvalidRequest(
            reason=f'The domains cannot be listed: {err}'
        ) from err


def look_up(connection: protocols.Connection, name: str) -> protocols.Domain:
    """Return a guest.

    :raises InvalidRequest: there is none of that name.
    """
    # Only libvirt is called, whose error is not named in this room.
    try:
        return connection.lookupByName(name)
    except Exception as err:
        raise exception.InvalidRequest(
            reason=f'There is no domain {name!r}: {err}'
        ) from err


class Auditor:
    """Audits guests against one set of options.

    :param conf: the options, with the profile.
    :param capabilities_of: tells what the host offers; it is called once for
        each kind of guest.
    :param known: the names of guests that are Windows, whatever their
        documents say.
    """

    def __init__(
        self,
        conf: settings.Settings,
        capabilities_of: capabilities.CapabilitiesOf,
        known: collections.abc.Collection[str] = (),
    ) -> None:
        self._conf = conf
        # A host that cannot be asked is not asked again for each guest.
        self._capabilities_of = functools.cache(capabilities_of)
        self._known = frozenset(known)

    def audit(self, guest: Audited) -> Result:
        """Audit one guest; it is only read.

        Never raises for a guest that is gone or cannot be read.
        """
        name = guest.name()
        try:
            read = domain.parse(guest.XMLDesc(0))
        except exception.MalformedDocument as err:
            return _unread(name, findings.UNREADABLE, str(err))
        # As in select(): of libvirt's errors one is told by its code.
        except Exception as err:
            if _error_code(err) == _NO_DOMAIN:
                text = 'It vanished before it could be read.'
                return _unread(name, findings.VANISHED, text)
            text = f'The domain cannot be read: {err}'
            return _unread(name, findings.UNREADABLE, text)
        if name not in self._known and not recognition.is_windows(read):
            return Result(domain=name, windows=False)
        seen = self._inspect(read)
        return Result(
            domain=read.name or name,
            windows=True,
            guest=read,
            wanted=seen.wanted,
            found=seen.found,
            pending=self._pending(guest, read, seen.found),
        )

    def _inspect(self, read: domain.Domain) -> rules.Inspection:
        host = self._capabilities_of(read.arch, read.machine, read.virt_type)
        return rules.inspect(read, self._conf, host)

    def _pending(
        self,
        guest: Audited,
        read: domain.Domain,
        found: tuple[findings.Finding, ...],
    ) -> frozenset[findings.Finding]:
        """Return what is not to be found in what a guest starts with next.

        Nova makes its guests' documents anew at each start.
        """
        if read.nova is not None or not any(each.fix for each in found):
            return frozenset()
        try:  # As in audit().
            if not guest.isActive():
                return frozenset()
            later = domain.parse(guest.XMLDesc(apply.INACTIVE))
        except Exception:
            # It was told what is there now; it may be gone since.
            return frozenset()
        left = {(e.kind.code, e.name) for e in self._inspect(later).found}
        return frozenset(
            each for each in found if (each.kind.code, each.name) not in left
        )


def _error_code(err: Exception) -> int | None:
    """Return libvirt's code of an error, None of another one."""
    code = getattr(err, 'get_error_code', None)
    return code() if callable(code) else None


def _unread(name: str, kind: findings.Kind, text: str) -> Result:
    return Result(
        domain=name,
        windows=None,
        found=(findings.Finding(domain=name, kind=kind, name='', text=text),),
    )
