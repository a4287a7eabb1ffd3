# SPDX-License-Identifier: Apache-2.0

"""Boots the probe in a guest of its own, and removes that guest again."""

import collections.abc
import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import tempfile
import threading
import time
import urllib.parse
import uuid

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.guest import cpuid
from nova_hyperv_enlight.guest import probe_domain
from nova_hyperv_enlight.guest import report
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.host import protocols

#: How long a guest may take to write its report.
TIMEOUT_SECONDS = 10.0

# libvirt: VIR_DOMAIN_START_AUTODESTROY. The guest ends with the connection,
# also when this process is killed.
_AUTODESTROY = 2
_POLL_SECONDS = 0.02
_DISK_BYTES = 1 << 20
_REMOVALS = 3
# QEMU begins its lines with the time; what stands before it is libvirt's.
_BEFORE_QEMU = re.compile(r'^.*?\d{4}-\d\d-\d\dT[\d:.]+Z ')
_WARNING = ': warning: '


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a boot is bound to.

    :ivar timeout: how many seconds a guest may take to write its report.
    :ivar stop: once it is set, everything is removed and left.
    :ivar sector: the boot sector.
    """

    timeout: float = TIMEOUT_SECONDS
    stop: threading.Event = dataclasses.field(default_factory=threading.Event)
    sector: bytes = dataclasses.field(default_factory=cpuid.boot_sector)


def boot(
    connection: protocols.Connection,
    question: probe_domain.Question,
    conditions: Conditions | None = None,
) -> kvm.Leaves:
    """Boot the probe, and return what it read.

    :param connection: to the libvirt of this machine.
    :param question: what the guest is started with.
    :param conditions: what the boot is bound to.
    :raises GuestFailed: no report came; the message says why, in QEMU's own
        words where it has said anything.
    :raises Interrupted: it was told to stop.
    """
    conditions = conditions or Conditions()
    identity = uuid.uuid4()
    name = probe_domain.PREFIX + identity.hex[:8]
    try:
        with _files(conditions.sector) as (directory, serial):
            files = probe_domain.ProbeFiles(
                name=name,
                uuid=str(identity),
                disk=str(directory / 'disk'),
                serial=str(directory / 'serial'),
            )
            with _guest(connection, question, files) as guest:
                leaves = _wait(guest, serial, conditions)
    except OSError as err:
        raise exception.GuestFailed(reason=err) from err
    finally:
        _remove_log(connection, name)
    _check_stop(conditions)
    return leaves


def _check_stop(conditions: Conditions) -> None:
    if conditions.stop.is_set():
        raise exception.Interrupted(what='The verification')


@contextlib.contextmanager
def _files(
    sector: bytes,
) -> collections.abc.Iterator[tuple[pathlib.Path, int]]:
    """Make the guest's files.

    :returns: their directory, and a descriptor of the serial port's file:
        libvirt gives the file itself to the user that QEMU runs as.
    """
    directory = pathlib.Path(tempfile.mkdtemp(prefix=probe_domain.PREFIX))
    try:
        # That user must find the files; nobody else can guess their place.
        directory.chmod(0o711)
        disk = directory / 'disk'
        disk.write_bytes(sector)
        os.truncate(disk, _DISK_BYTES)
        disk.chmod(0o644)
        serial = os.open(
            directory / 'serial',
            os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC,
            0o600,
        )
        try:
            yield directory, serial
        finally:
            os.close(serial)
    finally:
        shutil.rmtree(directory)


@contextlib.contextmanager
def _guest(
    connection: protocols.Connection,
    question: probe_domain.Question,
    files: probe_domain.ProbeFiles,
) -> collections.abc.Iterator[protocols.Domain]:
    """Start a guest, and destroy it whatever happens."""
    document = probe_domain.build(question, files)
    # libvirt.libvirtError is not named in this room: it gets its connection
    # handed in, and runs without libvirt-python.
    try:
        # The embedded driver has no automatic end: it is this process.
        flags = 0 if _is_embedded(connection) else _AUTODESTROY
        try:
            guest = connection.createXML(document, flags)
        except Exception as err:
            raise exception.GuestFailed(
                reason=plain(str(err)), refused=True
            ) from err
        yield guest
    finally:
        _destroy(connection, files)


def _destroy(
    connection: protocols.Connection, files: probe_domain.ProbeFiles
) -> None:
    """Destroy the guest that has this UUID, if there is one.

    :raises GuestFailed: it is there, and cannot be destroyed.
    """
    for attempt in range(_REMOVALS):
        try:
            guest = connection.lookupByUUIDString(files.uuid)
        # As in _guest(): in each block here only libvirt is called.
        except Exception:
            return  # It is gone, or was never there.
        try:
            guest.destroy()
            return
        except Exception as err:
            if attempt + 1 == _REMOVALS:
                raise exception.GuestFailed(
                    reason=(
                        f'{plain(str(err))}. The guest {files.name} is left '
                        'behind: destroy it'
                    )
                ) from err


def _wait(
    guest: protocols.Domain, serial: int, conditions: Conditions
) -> kvm.Leaves:
    """Wait for the report."""
    deadline = time.monotonic() + conditions.timeout
    while True:
        # What it wrote last is read after its end is seen.
        running = _is_active(guest)
        received = os.pread(serial, report.MAX_BYTES + 1, 0)
        if report.is_complete(received):
            return report.read(received)
        _check_stop(conditions)
        why = None
        if not running:
            why = 'it ended before it had written its report'
        elif time.monotonic() > deadline:
            why = f'it wrote no report in {conditions.timeout:g} s'
        if why is not None:
            raise exception.GuestFailed(
                reason=f'{why} ({report.describe(received)})'
            )
        conditions.stop.wait(_POLL_SECONDS)


def _is_active(guest: protocols.Domain) -> bool:
    try:
        return bool(guest.isActive())
    except Exception:
        return False  # A transient guest that has ended is not known.


def plain(message: str) -> str:
    """Return what went wrong, as one line and in QEMU's own words.

    QEMU's warnings are left out where it says more.

    :param message: what libvirt said.
    """
    lines = [
        _BEFORE_QEMU.sub('', line)
        for line in message.splitlines()
        if line.strip()
    ]
    kept = [line for line in lines if _WARNING not in line] or lines
    return ' '.join(' '.join(kept).split())


def _is_embedded(connection: protocols.Connection) -> bool:
    return urllib.parse.urlsplit(connection.getURI()).path == '/embed'


def _remove_log(connection: protocols.Connection, name: str) -> None:
    """Remove the log that libvirt keeps of each guest, under its name.

    Nobody else would: it is too small for logrotate. Where it may not be
    removed, or is somewhere else, it stays.
    """
    with contextlib.suppress(Exception):
        uri = urllib.parse.urlsplit(connection.getURI())
        root = urllib.parse.parse_qs(uri.query).get('root', [''])[0]
        cache = os.environ.get(
            'XDG_CACHE_HOME', os.path.expanduser('~/.cache')
        )
        directory = {
            '/system': '/var/log/libvirt/qemu',
            '/session': f'{cache}/libvirt/qemu/log',
            '/embed': f'{root}/log/qemu',
        }[uri.path]
        os.unlink(os.path.join(directory, f'{name}.log'))
