# SPDX-License-Identifier: Apache-2.0

"""What guests of this host are not shown: asked once, and remembered.

nova-compute gets this as an entry point: it looks at guests only where the
operator wants it.
"""

import collections.abc
import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import pathlib
import stat

from oslo_log import log as logging

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.guest import boot
from nova_hyperv_enlight.guest import cpuid
from nova_hyperv_enlight.guest import matrix
from nova_hyperv_enlight.guest import verify
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.host import protocols

LOG = logging.getLogger(__name__)

#: How long a guest may take to write its report, and all of them together.
TIMEOUT_SECONDS, SECONDS = boot.TIMEOUT_SECONDS, 40.0
#: The directory and the file in it, below nova-compute's state_path.
DIRECTORY, FILE = 'hyperv_enlight', 'verified.json'

_VERSION = 1
_MAX_BYTES = 1 << 16


def not_shown(
    connection: protocols.Connection,
    asked: capabilities.Sources,
    state_path: str,
) -> frozenset[str]:
    """Return the enlightenments that no guest of this host is shown.

    :param connection: to the libvirt of this machine.
    :param asked: what the other sources say of the kind of guest.
    :param state_path: where the answer is kept: it holds until libvirt,
        QEMU, the kernel, the processor's microcode or this package changes.
    :raises GuestFailed: not even a guest without any can be read, or it
        took too long.
    """
    key = _key(asked)
    known = _load(state_path, key)
    if known is not None:
        return known
    findings = _look(connection, asked)
    features = matrix.not_shown(findings)
    silent = [
        f'{found.name}: {found.text}'
        for found in findings
        if found.shown is verify.Shown.NO_REPORT
    ]
    if silent:
        # Next time they may all have something to say.
        LOG.warning(
            'Hyper-V enlightenments: not every guest has said what it is '
            'shown, and all will be asked again: %s',
            '; '.join(silent),
        )
        return features
    try:
        _store(state_path, key, features)
    except OSError as err:
        LOG.warning(
            'Hyper-V enlightenments: what guests are shown cannot be kept in '
            '%s and will be asked again: %s',
            os.path.join(state_path, DIRECTORY),
            err,
        )
    return features


def _look(
    connection: protocols.Connection, asked: capabilities.Sources
) -> tuple[verify.Observation, ...]:
    bound = boot.Conditions(timeout=TIMEOUT_SECONDS)
    return matrix.look(
        matrix.boots(
            connection,
            bound,
            virt_type=asked.virt_type,
            arch=asked.arch,
            machine=asked.machine,
        ),
        asked.vendor,
        seconds=SECONDS,
        stop=bound.stop,
    )


def _key(asked: capabilities.Sources) -> str:
    """Return what the answer depends on, as one text."""
    kernel = dataclasses.asdict(asked.kernel)
    facts = {
        'version': _VERSION,
        'libvirt': model.version_text(asked.libvirt),
        'qemu': model.version_text(asked.qemu),
        'kernel': [os.uname().release, os.uname().version, repr(kernel)],
        'microcode': kvm.microcode(),
        'guest': [asked.virt_type, asked.arch, asked.machine],
        'names': list(enlightenments.ENLIGHTENMENTS),
        'sector': hashlib.sha256(cpuid.boot_sector()).hexdigest(),
    }
    return json.dumps(facts, sort_keys=True)


@contextlib.contextmanager
def _open_directory(state_path: str) -> collections.abc.Iterator[int]:
    """Open our directory, and no other by a link.

    :raises OSError: it is not there, or not ours alone.
    """
    path = pathlib.Path(state_path, DIRECTORY)
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    directory = os.open(path, flags)
    try:
        status = os.fstat(directory)
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            raise PermissionError(f'{path} can be written by others')
        yield directory
    finally:
        os.close(directory)


def _load(state_path: str, key: str) -> frozenset[str] | None:
    """Return what is remembered, None where it is not of this key."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with _open_directory(state_path) as directory:
            opened = os.open(FILE, flags, dir_fd=directory)
            with os.fdopen(opened, 'rb') as file:
                if not stat.S_ISREG(os.fstat(opened).st_mode):
                    return None
                document = json.loads(file.read(_MAX_BYTES))
        features = frozenset(document['not_shown'])
        if document['key'] == key and features <= set(
            enlightenments.ENLIGHTENMENTS
        ):
            return features
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass  # It is asked again, and written anew.
    return None


def _store(state_path: str, key: str, features: frozenset[str]) -> None:
    """Remember an answer; a reader sees the old one or the new one whole.

    :raises OSError: it cannot be written, or another process is writing it.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(os.path.join(state_path, DIRECTORY), 0o700)
    document = {'key': key, 'not_shown': sorted(features)}
    new = f'{FILE}.new'
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with _open_directory(state_path) as directory:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new, dir_fd=directory)
        opened = os.open(new, flags, 0o600, dir_fd=directory)
        try:
            with os.fdopen(opened, 'w', encoding='ascii') as file:
                json.dump(document, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, FILE, src_dir_fd=directory, dst_dir_fd=directory)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(new, dir_fd=directory)
            raise
