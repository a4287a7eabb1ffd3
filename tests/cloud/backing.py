# SPDX-License-Identifier: Apache-2.0
"""What OpenStack's services stand on: packages of Debian."""

import collections.abc
import pathlib
import shutil
import uuid

from tests.cloud import exception
from tests.cloud import place as cloud_place
from tests.cloud import service
from tests.cloud import settings

# The one in PATH goes on as another user.
_RABBITMQ = '/usr/lib/rabbitmq/bin/rabbitmq-server'
#: Each program with the package that brings it.
PROGRAMS = {
    'libvirtd': 'libvirt-daemon',
    'mariadb-install-db': 'mariadb-server-core',
    'mariadbd': 'mariadb-server-core',
    'memcached': 'memcached',
    'qemu-img': 'qemu-utils',
    'qemu-system-x86_64': 'qemu-system-x86',
    _RABBITMQ: 'rabbitmq-server',
    'setpriv': 'util-linux',
    'unshare': 'util-linux',
}
_QEMU_DRIVER = 'libvirt_driver_qemu.so'
# libvirt insists on its default user: see tests/real/embedded.py.
_QEMU_USER = 'libvirt-qemu'
_QEMU_CONF = """
user = "root"
group = "root"
security_driver = "none"
stdio_handler = "file"
namespaces = []
cgroup_controllers = []
remember_owner = 0
"""


def program(name: str) -> str:
    """Return the path of one of PROGRAMS.

    :raises: ProgramMissing.
    """
    found = shutil.which(name)
    if found is None:
        raise exception.ProgramMissing(program=name, package=PROGRAMS[name])
    return found


def prepare(place: cloud_place.Place) -> None:
    """Make what the services below find when they start."""
    _prepare_database(place)
    _prepare_broker(place)
    _prepare_libvirt(place)


def services(
    place: cloud_place.Place,
) -> collections.abc.Iterator[service.Service]:
    """Make the services, none of which needs another one."""
    yield service.Service(
        name='memcached',
        place=place,
        argv=[
            program('memcached'),
            *('-u', 'root', '-l', cloud_place.ADDRESS),
            *('-p', str(place.port('memcached')), '-U', '0'),
        ],
        ready=service.listens(place.port('memcached')),
    )
    yield service.Service(
        name='mariadb',
        place=place,
        argv=[
            program('mariadbd'),
            f'--defaults-file={place.path("etc", "mariadb.cnf")}',
        ],
        ready=service.listens(place.port('mariadb')),
    )
    yield service.Service(
        name='rabbitmq',
        place=place,
        argv=[program(_RABBITMQ)],
        variables=_broker_variables(place),
        ready=service.listens(place.port('rabbitmq')),
    )
    yield service.Service(
        name='libvirtd',
        place=place,
        argv=[
            program('libvirtd'),
            *('--config', place.path('etc', 'libvirtd.conf')),
        ],
        variables={'LIBVIRT_DRIVER_DIR': str(_drivers(place))},
        ready=libvirt_socket(place).exists,
    )


def libvirt_socket(place: cloud_place.Place) -> pathlib.Path:
    """Return the path of libvirtd's socket."""
    return place.path('run', 'libvirt-sock')


def libvirt_uri(place: cloud_place.Place) -> str:
    """Return where libvirtd is, for libvirt's clients."""
    return f'qemu+unix:///system?socket={libvirt_socket(place)}'


def _prepare_database(place: cloud_place.Place) -> None:
    data = place.path('private', 'mariadb')
    databases = '\n'.join(
        f'CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb3;\n'
        f"GRANT ALL ON {name}.* TO 'cloud'@'{cloud_place.ADDRESS}';"
        for name in settings.DATABASES
    )
    place.path('etc', 'mariadb.sql').write_text(
        f"CREATE USER IF NOT EXISTS 'cloud'@'{cloud_place.ADDRESS}' "
        f"IDENTIFIED BY '{place.password}';\n{databases}\n"
    )
    # What survives a crash of the machine need not survive this cloud.
    place.path('etc', 'mariadb.cnf').write_text(
        f"""\
[mariadbd]
user = root
datadir = {data}
socket = {place.path('run', 'mariadb.sock')}
bind-address = {cloud_place.ADDRESS}
port = {place.port('mariadb')}
init-file = {place.path('etc', 'mariadb.sql')}
skip-name-resolve
max_connections = 400
innodb_flush_log_at_trx_commit = 0
innodb_doublewrite = 0
innodb_log_file_size = 32M
performance_schema = off
"""
    )
    service.run(
        place,
        'mariadb',
        [
            program('mariadb-install-db'),
            '--no-defaults',
            '--user=root',
            f'--datadir={data}',
            '--skip-test-db',
            '--auth-root-authentication-method=socket',
        ],
    )


def _prepare_broker(place: cloud_place.Place) -> None:
    place.path('etc', 'rabbitmq.conf').write_text(
        f"""\
listeners.tcp.1 = {cloud_place.ADDRESS}:{place.port('rabbitmq')}
default_user = cloud
default_pass = {place.password}
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 50MB
log.file = false
log.console = true
"""
    )
    place.path('etc', 'rabbitmq.plugins').write_text('[].\n')


def _broker_variables(place: cloud_place.Place) -> dict[str, str]:
    private = place.path('private')
    return {
        'ERL_EPMD_ADDRESS': cloud_place.ADDRESS,
        'ERL_EPMD_PORT': str(place.port('epmd')),
        'RABBITMQ_CONFIG_FILE': str(place.path('etc', 'rabbitmq.conf')),
        'RABBITMQ_CONF_ENV_FILE': '/dev/null',
        'RABBITMQ_DIST_PORT': str(place.port('rabbitmq-distribution')),
        'RABBITMQ_ENABLED_PLUGINS_FILE': str(
            place.path('etc', 'rabbitmq.plugins')
        ),
        'RABBITMQ_LOG_BASE': str(place.path('log')),
        'RABBITMQ_MNESIA_BASE': str(private / 'rabbitmq'),
        'RABBITMQ_NODENAME': 'cloud@localhost',
        'RABBITMQ_PID_FILE': str(private / 'rabbitmq.pid'),
        # Threads that wait by running cost the others their cores.
        'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS': (
            '+sbwt none +sbwtdcpu none +sbwtdio none '
            '-kernel inet_dist_use_interface {127,0,0,1}'
        ),
    }


def _drivers(place: cloud_place.Place) -> pathlib.Path:
    """Return the folder with the only driver that libvirtd loads.

    Another one would make a bridge on the machine.
    """
    return place.path('private', 'libvirt-drivers')


def _prepare_libvirt(place: cloud_place.Place) -> None:
    """Write what libvirtd reads below /etc, which is not the machine's."""
    _drivers(place).mkdir()
    try:
        found = next(pathlib.Path('/usr').glob(f'lib*/**/{_QEMU_DRIVER}'))
    except StopIteration:
        raise exception.ProgramMissing(
            program=_QEMU_DRIVER, package='libvirt-daemon-driver-qemu'
        ) from None
    (_drivers(place) / _QEMU_DRIVER).symlink_to(found)
    etc = pathlib.Path('/etc/libvirt')
    etc.mkdir(exist_ok=True)
    (etc / 'qemu.conf').write_text(_QEMU_CONF)
    for name, line in (
        ('passwd', f'{_QEMU_USER}:x:0:0::/:/bin/false'),
        ('group', f'{_QEMU_USER}:x:0:'),
    ):
        path = pathlib.Path('/etc', name)
        text = path.read_text()
        if f'{_QEMU_USER}:' not in text:
            path.write_text(f'{text}{line}\n')
    place.path('etc', 'libvirtd.conf').write_text(
        f"""\
listen_tls = 0
unix_sock_dir = "{place.path('run')}"
auth_unix_rw = "none"
auth_unix_ro = "none"
host_uuid = "{uuid.uuid4()}"
"""
    )
