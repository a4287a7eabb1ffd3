# SPDX-License-Identifier: Apache-2.0
"""libvirt's QEMU driver inside this process, without a daemon.

A process can open the driver below one root only, and never again below
another one. So the process has one, which its tests share one after another;
stestr's workers are processes of their own and get roots of their own.
"""

import atexit
import ctypes
import functools
import importlib
import os
import pathlib
import pwd
import resource
import shutil
import signal
import sys
import tempfile
import threading

# Where the root is made. UNIX socket paths end at 108 characters, so a
# TMPDIR of CI would be too long.
PARENT = os.environ.get('HYPERV_ENLIGHT_TEST_PARENT', '/tmp')
PROGRAMS = ('qemu-system-x86_64', 'qemu-img')
# What libvirt falls back to before it reads qemu.conf; the Debian package
# that makes this user (libvirt-daemon-system) brings a daemon that we don't
# want.
DEFAULT_USER = 'libvirt-qemu'
# libvirt closes every possible descriptor whenever it forks.
OPEN_FILES = 1024

_CLONE_NEWNS = 0x00020000
_MS_BIND = 0x1000
_MS_REC_PRIVATE = 0x4000 | 0x40000


class Unavailable(Exception):
    """The machine lacks something that real guests need."""


class Embedded:
    """The embedded driver of this process.

    :ivar connection: an open libvirt connection
    :ivar root: where libvirt and Nova keep their files
    :ivar uri: for further connections of this process
    """

    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix='nhe.', dir=PARENT))
        self.uri = f'qemu:///embed?root={self.root}'
        self.connection = None
        atexit.register(self.close)
        self._configure()
        self._libvirt = self._import()
        self._open()

    def _configure(self):
        settings = [
            'stdio_handler = "file"',
            'namespaces = []',
            'cgroup_controllers = []',
            'remember_owner = 0',
        ]
        if os.geteuid() == 0:
            settings += ['user = "root"', 'group = "root"']
        conf = self.root / 'etc' / 'qemu.conf'
        conf.parent.mkdir()
        conf.write_text('\n'.join(settings) + '\n')

        limit, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (min(limit, OPEN_FILES), hard)
        )
        # A run that is terminated must not leave guests behind, and at SIGTERM
        # Python by itself skips what is registered for the exit.
        if threading.current_thread() is threading.main_thread():
            if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
                signal.signal(signal.SIGTERM, lambda *args: sys.exit(143))

    def _import(self):
        libvirt = importlib.import_module('libvirt')
        libvirt.registerErrorHandler(lambda *args: None, None)
        libvirt.virEventRegisterDefaultImpl()
        threading.Thread(
            target=_forever,
            args=(libvirt.virEventRunDefaultImpl,),
            name='libvirt-events',
            daemon=True,
        ).start()
        return libvirt

    def _open(self):
        # In a thread of its own, as it may leave the mount name space.
        failures = []

        def run():
            try:
                self._provide_default_user()
                self.connection = self._libvirt.open(self.uri)
            except (OSError, self._libvirt.libvirtError) as err:
                failures.append(err)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if failures:
            raise Unavailable(f'libvirt: {failures[0]}')

    def _provide_default_user(self):
        """Let libvirt find the user that it insists on, and nobody else.

        Run as root it refuses to start where its build's default user is
        unknown, whatever qemu.conf says. This thread, and no other, gets to
        see an /etc/passwd and /etc/group that know it.
        """
        if os.geteuid() != 0 or _is_user(DEFAULT_USER):
            return
        libc = ctypes.CDLL(None, use_errno=True)
        _check(libc.unshare(_CLONE_NEWNS))
        _check(libc.mount(b'none', b'/', None, _MS_REC_PRIVATE, None))
        for name, line in (
            ('passwd', f'{DEFAULT_USER}:x:0:0::/:/bin/false'),
            ('group', f'{DEFAULT_USER}:x:0:'),
        ):
            real = pathlib.Path('/etc', name)
            extended = self.root / 'etc' / name
            extended.write_text(f'{real.read_text()}{line}\n')
            _check(
                libc.mount(bytes(extended), bytes(real), None, _MS_BIND, None)
            )

    def versions(self):
        """The versions of libvirt and QEMU, for people."""
        numbers = (
            self.connection.getLibVersion(),
            self.connection.getVersion(),
        )
        return 'libvirt {}, QEMU {}'.format(
            *(
                f'{number // 1000000}.{number // 1000 % 1000}.{number % 1000}'
                for number in numbers
            )
        )

    def clear(self):
        """Destroy and forget all guests, and whom libvirt tells of them.

        Their QEMU processes end.
        """
        # libvirt-python adds the attribute when something is registered.
        for callback in list(
            getattr(self.connection, 'domainEventCallbackID', ())
        ):
            self.connection.domainEventDeregisterAny(callback)
        for domain in self.connection.listAllDomains():
            # A transient one is not known any more once it has ended.
            persistent = domain.isPersistent()
            if domain.isActive():
                domain.destroy()
            if persistent:
                domain.undefineFlags(self._libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)

    def close(self):
        """Leave nothing behind."""
        if self.connection:
            self.clear()
            self.connection.close()
            self.connection = None
        shutil.rmtree(self.root, ignore_errors=True)


def _forever(function):
    while True:
        function()


def _is_user(name):
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


def _check(result):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(
            error,
            f'no user {DEFAULT_USER}, and no private mount '
            f'for one: {os.strerror(error)}',
        )


@functools.cache
def _attempt():
    for program in PROGRAMS:
        if not shutil.which(program):
            return None, f'{program} is not installed'
    try:
        return Embedded(), None
    except ImportError as err:
        return None, f'libvirt-python: {err}'
    except Unavailable as err:
        return None, str(err)


def get():
    """The embedded driver of this process, opened when first asked for.

    :raises Unavailable: where it cannot be had, each time
    """
    driver, reason = _attempt()
    if reason:
        raise Unavailable(reason)
    return driver
