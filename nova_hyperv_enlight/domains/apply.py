# SPDX-License-Identifier: Apache-2.0

"""Plans what becomes of a guest's document, without changing the guest."""

import dataclasses
import difflib

from nova_hyperv_enlight.domains import change
from nova_hyperv_enlight.domains import findings
from nova_hyperv_enlight.domains import recognition
from nova_hyperv_enlight.domains import rules
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight.domxml import schema
from nova_hyperv_enlight.editor import edit
from nova_hyperv_enlight.editor import source
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import protocols

#: libvirt's VIR_DOMAIN_XML_INACTIVE: what a guest is next started with.
#: https://libvirt.org/html/libvirt-libvirt-domain.html
INACTIVE = 1 << 1
_NO_NEWLINE = '\\ No newline at end of file\n'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What becomes of one document.

    :ivar name: the domain's name, or the file's.
    :ivar former: the document as it is.
    :ivar data: the new document.
    :ivar change: what was written into it.
    :ivar notes: sentences about what was wanted and cannot be.
    :ivar left: the kinds of what "domain audit" finds in a Windows guest that
        has got a whole set, besides what its set lacks.
    """

    name: str
    former: source.Source
    data: bytes
    change: edit.Change
    notes: tuple[str, ...]
    left: tuple[findings.Kind, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether it is another document."""
        return self.data != self.former.data

    def diff(self) -> str:
        """Return the change as a unified diff, which ``patch`` takes."""
        encoding = self.former.encoding
        return ''.join(
            line if line.endswith('\n') else f'{line}\n{_NO_NEWLINE}'
            for line in difflib.unified_diff(
                _lines(self.former.data.decode(encoding)),
                _lines(self.data.decode(encoding)),
                fromfile=self.name,
                tofile=self.name,
            )
        )


def _lines(text: str) -> list[str]:
    # splitlines() knows line breaks that XML has none of.
    lines = [f'{line}\n' for line in text.split('\n')]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


class Planner:
    """Plans the same for one guest after another.

    :param wanted: what the operator wants.
    :param capabilities_of: tells what the host offers.
    :param force: also what Nova manages, and what is not Windows.
    :param valid: the schema that a document must be valid by, None for none.
    """

    def __init__(
        self,
        wanted: change.ChangeRequest,
        capabilities_of: capabilities.CapabilitiesOf,
        force: bool = False,
        valid: schema.Schema | None = None,
    ) -> None:
        self._wish = wanted
        self._capabilities_of = capabilities_of
        self._force = force
        self._schema = valid

    def plan(self, document: source.Source) -> Plan:
        """Plan what becomes of a document.

        :param document: the document of a guest.
        :raises MalformedDocument: it is not one.
        :raises InvalidRequest: the guest is to be left alone, its type is
            not understood, what is wanted is not possible, or the schema does
            not allow it.
        :raises HostCannotDeliver: this host does not deliver it.
        """
        guest = domain.read(document.root)
        domain.check_type(guest)
        if not self._force:
            _check(guest)
        host = self._capabilities_of(
            guest.arch, guest.machine, guest.virt_type
        )
        answer = change.decide(guest, self._wish, host)
        data = edit.write(document, answer.change)
        if self._schema is not None:
            _check_valid(self._schema, document, data)
        return Plan(
            name=document.document,
            former=document,
            data=data,
            change=answer.change,
            notes=(*answer.notes, *_unknown(document)),
            left=self._left(data, document, host),
        )

    def _left(
        self,
        data: bytes,
        former: source.Source,
        host: capabilities.HostCapabilities,
    ) -> tuple[findings.Kind, ...]:
        """Return what is to be found in a guest after the change.

        Of a whole set alone, where what is missing is as it was asked for.
        """
        after = domain.parse(data, former.document)
        if not (self._wish.replaces and recognition.is_windows(after)):
            return ()
        seen = rules.inspect(after, self._wish.rules, host)
        kinds = dict.fromkeys(each.kind for each in seen.found)
        return tuple(kind for kind in kinds if kind is not findings.MISSING)


def _check_valid(
    valid: schema.Schema, former: source.Source, data: bytes
) -> None:
    """Refuse what a schema does not allow.

    :raises InvalidRequest: with the line, and whether it was so before.
    """
    error = valid.error(data)
    if error is None:
        return
    what = 'would not be'
    before = valid.error(former.data)
    if before is not None:
        what, error = 'is not', before
    raise exception.InvalidRequest(
        reason=(
            f'The XML of {former.document} {what} valid by {valid.path}: '
            f'{error}.'
        )
    )


def _check(guest: domain.Domain) -> None:
    """Refuse a guest that is not the operator's to change here.

    :raises InvalidRequest: with what to do instead.
    """
    if guest.nova is not None:
        raise exception.InvalidRequest(
            reason=(
                f'Nova manages the domain {guest.name!r} and makes its XML '
                'anew: set the profile in nova.conf, the flavor or the '
                'image, and hard reboot the server with compute_driver = '
                'hyperv_enlight.LibvirtDriver in use; --force changes the '
                'domain all the same.'
            )
        )
    known = guest.os_type or guest.os_distro or guest.osinfo
    if known and not recognition.is_windows(guest):
        raise exception.InvalidRequest(
            reason=(
                f'The domain {guest.name!r} is no Windows guest, by its '
                f'metadata ({known}): only Windows knows enlightenments; '
                '--force changes it all the same.'
            )
        )


def _unknown(document: source.Source) -> list[str]:
    names = edit.unknown(document)
    if not names:
        return []
    return [f'{", ".join(names)}: not known here, and left as it is.']


def read(guest: protocols.Domain) -> source.Source:
    """Return what a guest is next started with, without its passwords.

    :raises InvalidRequest: libvirt does not tell it, or the guest has no
        such thing.
    :raises MalformedDocument: it cannot be read.
    """
    name = guest.name()
    # libvirt.libvirtError is not named in this room: the package runs
    # without libvirt-python.
    try:
        persistent = guest.isPersistent()
        text = guest.XMLDesc(INACTIVE)
    except Exception as err:
        raise exception.InvalidRequest(
            reason=f'The domain {name!r} cannot be read: {err}'
        ) from err
    if not persistent:
        raise exception.InvalidRequest(
            reason=(
                f'The domain {name!r} is transient: it is gone once it is '
                'shut off, so there is nothing to change that it would be '
                'started with.'
            )
        )
    return source.parse(text.encode(), name)


def is_windows(document: source.Source) -> bool:
    """Whether a document says that it is of a Windows guest.

    :raises MalformedDocument: it is not the document of a guest.
    """
    return recognition.is_windows(domain.read(document.root))


def when(guest: protocols.Domain) -> str:
    """Say when a change takes effect, to be read after the guest's name."""
    try:
        if guest.isActive():
            return (
                'is running and stays as it is: this takes effect when it '
                'is next started from shut off'
            )
        if guest.hasManagedSaveImage(0):
            return (
                'is resumed from its saved state first: this takes effect '
                'when it is started from shut off after that'
            )
    # It may be gone by now.
    except Exception as err:
        return f'cannot be asked whether it is running: {err}'
    return 'is shut off: this takes effect at its next start'
