# SPDX-License-Identifier: Apache-2.0

"""Writes what was planned: into libvirt's guests, and into files.

What was there before is kept in a file first.
"""

import pathlib

from nova_hyperv_enlight.domains import apply
from nova_hyperv_enlight.domains import backup
from nova_hyperv_enlight.editor import compare
from nova_hyperv_enlight.editor import edit
from nova_hyperv_enlight.editor import source
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import protocols

# libvirt's VIR_DOMAIN_XML_SECURE. Passwords that a document lacks are gone
# once it is defined.
_WHOLE = apply.INACTIVE | 1 << 0


def define(
    connection: protocols.Connection,
    guest: protocols.Domain,
    plan: apply.Plan,
    directory: pathlib.Path,
) -> pathlib.Path:
    """Give a guest what was planned; a running one stays as it is.

    Reads back what libvirt keeps of it. Where that is something else, the
    guest gets back what it had.

    :param connection: to the guest's libvirt.
    :param guest: the guest.
    :param plan: what was planned for it.
    :param directory: where its former document is kept.
    :returns: the file with the former document.
    :raises CannotKeep: that cannot be kept; the guest is as it was.
    :raises NotDefined: the guest has not got it; the message says what it
        has.
    """
    former = _read(guest, plan)
    data = edit.write(
        source.parse(former.encode(), plan.name), plan.change
    ).decode()
    kept = backup.save(directory, plan.name, former.encode())
    # libvirt.libvirtError is not named in this room: the package runs
    # without libvirt-python. In each block below only libvirt is called.
    try:
        connection.defineXML(data)
    except Exception as err:
        raise _failed(plan, f'libvirt refuses it: {err}', kept) from err
    try:
        found = guest.XMLDesc(_WHOLE)
    except Exception as err:
        reason = f'what libvirt made of it cannot be read: {err}'
        raise _failed(plan, reason, kept) from err
    difference = compare.difference(
        plan.change.selection,
        source.parse(data.encode(), plan.name).root,
        source.parse(found.encode(), plan.name).root,
    )
    if difference is not None:
        restored = _restore(connection, guest, former)
        reason = f'libvirt kept something else: {difference}; {restored}'
        raise _failed(plan, reason, kept)
    return kept


def _read(guest: protocols.Domain, plan: apply.Plan) -> str:
    """Return a guest's document with its passwords, if it is still that."""
    try:  # As in define().
        text, former = guest.XMLDesc(apply.INACTIVE), guest.XMLDesc(_WHOLE)
    except Exception as err:
        raise exception.NotDefined(
            domain=plan.name, reason=f'it cannot be read: {err}'
        ) from err
    if text.encode() != plan.former.data:
        raise exception.NotDefined(
            domain=plan.name,
            reason='it was changed meanwhile, and is left as it is',
        )
    return former


def _restore(
    connection: protocols.Connection, guest: protocols.Domain, former: str
) -> str:
    """Give back what a guest had, and say whether it has it."""
    try:  # As in define().
        connection.defineXML(former)
        if guest.XMLDesc(_WHOLE) == former:
            return 'it has again what it had'
        return 'what it had was defined again, and reads differently now'
    except Exception as err:
        return f'what it had cannot be given back: {err}'


def _failed(
    plan: apply.Plan, reason: str, kept: pathlib.Path
) -> exception.NotDefined:
    return exception.NotDefined(
        domain=plan.name, reason=f'{reason}; its former XML is in {kept}'
    )


def write_file(
    path: pathlib.Path, plan: apply.Plan, directory: pathlib.Path
) -> pathlib.Path:
    """Write what was planned into the file that it was planned for.

    :param path: the file.
    :param plan: what was planned for it.
    :param directory: where the former document is kept.
    :returns: the file with the former document.
    :raises CannotKeep: that cannot be kept; the file is as it was.
    :raises CannotWrite: the file is as it was.
    """
    kept = backup.save(directory, path.stem, plan.former.data)
    backup.replace(path, plan.former.data, plan.data)
    return kept
