# SPDX-License-Identifier: Apache-2.0
"""A whole cloud on this machine, from nothing."""

import collections.abc
import concurrent.futures
import datetime
import functools
import pathlib
import struct
import sys
import typing

import keystoneauth1.exceptions
import openstack
from openstack.config import loader
import openstack.exceptions

from nova_hyperv_enlight.guest import cpuid
from tests.cloud import backing
from tests.cloud import exception
from tests.cloud import place as cloud_place
from tests.cloud import service
from tests.cloud import settings
from tests.cloud import site as cloud_site

# Nova writes no zone.
_TIME = '%Y-%m-%dT%H:%M:%S.%f'
#: What servers are made of. An image's name is its os_type.
FLAVOR = 'small'
IMAGES = ('linux', 'windows')
_IMAGE_BYTES = 1 << 20
# Where the table of partitions is in a boot sector.
_PARTITIONS = 446
# What each of two cores can wait for.
_AT_ONCE = 4


class Cloud:
    """The cloud at a place.

    :ivar services: all of its services by name, in the order they start in.
    :ivar site: its Nova.
    """

    def __init__(self, place: cloud_place.Place) -> None:
        self.place = place
        self.site = cloud_site.Site(place)
        self.services = {
            one.name: one
            for one in (*backing.services(place), *self._openstack())
        }

    @classmethod
    def find(cls) -> 'Cloud':
        """Return the cloud that this process runs in.

        :raises: NotThere.
        """
        return cls(cloud_place.Place.find())

    @property
    def compute(self) -> service.Service:
        """nova-compute."""
        return self.services['nova-compute']

    @functools.cached_property
    def client(self) -> openstack.connection.Connection:
        """An administrator's client; it knows the catalog of its first use."""
        return self._connect()

    def _connect(self) -> openstack.connection.Connection:
        config = loader.OpenStackConfig(
            config_files=[str(self.place.path('clouds.yaml'))],
            load_envvars=False,
        )
        return openstack.connection.Connection(config=config.get_one('cloud'))

    def start(self, told: collections.abc.Callable[[str], None]) -> None:
        """Start everything.

        :param told: what is told how far it is.
        :raises: ServiceFailed.
        """
        settings.write_all(self.place)
        self.site.configure()
        backing.prepare(self.place)
        self._start('memcached', 'mariadb', 'rabbitmq', 'libvirtd')
        told('MariaDB, RabbitMQ, memcached and libvirtd run')
        self._together(
            self._make_site,
            self._make_keystone,
            self._make_nova,
            self._make_neutron,
            self._make_glance,
            self._make_placement,
        )
        told('Keystone, Glance, Placement and Neutron run')
        self._start('nova-api', 'nova-conductor', 'nova-scheduler')
        self._start('nova-compute')
        # Neutron finds no ports before it was asked for something else.
        list(self.client.network.networks())
        self._furnish()
        told('Nova runs')

    def restart_compute(self, **configuration: typing.Any) -> None:
        """Restart nova-compute with another configuration.

        :param configuration: see Site.configure().
        """
        self.compute.stop()
        self.site.configure(**configuration)
        self.compute.start()
        self.compute.wait()

    def _start(self, *names: str) -> None:
        for name in names:
            self.services[name].start()
        for name in names:
            self.services[name].wait()

    def _together(self, *parts: collections.abc.Callable[[], None]) -> None:
        # Whoever is told of a failure doesn't wait for the others.
        executor = concurrent.futures.ThreadPoolExecutor(_AT_ONCE)
        waiting = [executor.submit(part) for part in parts]
        for done in concurrent.futures.as_completed(waiting):
            done.result()

    def _run(self, program: str, name: str, *arguments: str) -> None:
        """Run a program of OpenStack's; name is its configuration's."""
        service.run(
            self.place,
            program,
            [
                pathlib.Path(sys.prefix, 'bin', program),
                '--config-file',
                settings.path(self.place, name),
                *arguments,
            ],
        )

    def _make_keystone(self) -> None:
        def manage(*arguments: str) -> None:
            self._run('keystone-manage', 'keystone', *arguments)

        root = ('--keystone-user', 'root', '--keystone-group', 'root')
        url = self.place.url('keystone', '/v3')
        manage('db_sync')
        manage('fernet_setup', *root)
        manage(
            'bootstrap',
            *('--bootstrap-password', self.place.password),
            *('--bootstrap-public-url', url),
            *('--bootstrap-internal-url', url),
            *('--bootstrap-admin-url', url),
            *('--bootstrap-region-id', 'RegionOne'),
        )
        self._start('keystone')
        try:
            self._make_accounts()
        except (
            keystoneauth1.exceptions.ClientException,
            openstack.exceptions.SDKException,
        ) as err:
            raise exception.ServiceFailed(
                name='keystone',
                reason='does not take the accounts',
                said=err,
                log=self.place.log('keystone'),
            ) from err

    def _make_accounts(self) -> None:
        identity = self._connect().identity
        roles = {role.name: role for role in identity.roles()}
        project = identity.create_project(name='service', domain_id='default')
        for name in settings.ACCOUNTS:
            user = identity.create_user(
                name=name,
                domain_id='default',
                password=self.place.password,
                default_project_id=project.id,
            )
            for role in ('admin', 'service'):
                identity.assign_project_role_to_user(
                    project, user, roles[role]
                )
        for kind, url in (
            ('image', self.place.url('glance')),
            ('placement', self.place.url('placement')),
            ('network', self.place.url('neutron')),
            ('compute', self.place.url('nova-api', '/v2.1')),
        ):
            made = identity.create_service(name=kind, type=kind)
            for interface in ('public', 'internal', 'admin'):
                identity.create_endpoint(
                    service_id=made.id,
                    interface=interface,
                    region_id='RegionOne',
                    url=url,
                )

    def _furnish(self) -> None:
        """Make what a server is booted from."""
        self.client.compute.create_flavor(name=FLAVOR, ram=64, vcpus=1, disk=0)
        for os_type in IMAGES:
            self.client.create_image(
                name=os_type,
                data=_disk(),
                container_format='bare',
                disk_format='raw',
                meta={'os_type': os_type},
                wait=True,
            )

    def glance_manage(self, *arguments: str) -> None:
        """Run glance-manage.

        :raises: ServiceFailed.
        """
        self._run('glance-manage', 'glance-api', *arguments)

    def _make_glance(self) -> None:
        self.glance_manage('db_sync')
        self._start('glance')

    def _make_placement(self) -> None:
        self._run('placement-manage', 'placement', 'db', 'sync')
        self._start('placement')

    def _make_neutron(self) -> None:
        self._run('neutron-db-manage', 'neutron', 'upgrade', 'heads')
        self._start('neutron')

    def _make_nova(self) -> None:
        def manage(*arguments: str) -> None:
            self._run('nova-manage', 'nova', *arguments)

        cell0 = settings.database(self.place, 'nova_cell0')
        manage('api_db', 'sync')
        manage('cell_v2', 'map_cell0', '--database_connection', cell0)
        manage('db', 'sync')
        manage('cell_v2', 'create_cell', '--name', 'cell1')

    def _make_site(self) -> None:
        self.site.make()
        self.site.install()

    def _openstack(self) -> collections.abc.Iterator[service.Service]:
        here = pathlib.Path(sys.prefix)
        for name, module, config, home in (
            ('keystone', 'keystone.wsgi.api', 'keystone.conf', here),
            ('glance', 'glance.wsgi.api', 'glance-api.conf', here),
            ('placement', 'placement.wsgi.api', 'placement.conf', here),
            ('neutron', 'neutron.wsgi.api', 'neutron.conf', here),
            (
                'nova-api',
                'nova.wsgi.osapi_compute',
                # It takes the first one for the pipelines'.
                f'{here / "etc" / "nova" / "api-paste.ini"};nova.conf',
                self.site.path,
            ),
        ):
            yield self._wsgi(name, module, config, home)
        for name in ('nova-conductor', 'nova-scheduler', 'nova-compute'):
            files = ['nova']
            if name == 'nova-compute':
                files.append(name)
            argv = self.site.program(name)
            for one in files:
                argv += ['--config-file', settings.path(self.place, one)]
            yield service.Service(
                name=name,
                place=self.place,
                argv=argv,
                ready=self._reports(name),
            )

    def _wsgi(
        self, name: str, module: str, config: str, home: pathlib.Path
    ) -> service.Service:
        prefix = f'OS_{name.partition("-")[0].upper()}_CONFIG'
        address = f'{cloud_place.ADDRESS}:{self.place.port(name)}'
        return service.Service(
            name=name,
            place=self.place,
            argv=[
                pathlib.Path(sys.prefix, 'bin', 'uwsgi'),
                *('--http-socket', address),
                *('--virtualenv', home),
                *('--module', f'{module}:application'),
                *('--threads', '4', '--need-app', '--die-on-term'),
                *('--buffer-size', '65535', '--disable-logging'),
                # It does close it, and clients would ask it again.
                *('--add-header', 'Connection: close'),
            ],
            variables={
                f'{prefix}_DIR': str(self.place.path('etc')),
                f'{prefix}_FILES': config,
            },
            ready=service.answers(
                self.place.url(name, '/v3' if name == 'keystone' else '/')
            ),
        )

    def _reports(self, name: str) -> service.Ready:
        """Return whether one of Nova's has reported since it was started."""

        def ready() -> bool:
            written = self.place.path('run', f'{name}.pid').stat().st_mtime
            started = datetime.datetime.fromtimestamp(
                written, datetime.timezone.utc
            )
            compute = self.client.compute
            found = [
                one.updated_at
                for one in compute.services(binary=name)
                if one.updated_at
                # A report of the one before cannot be later than this one's
                # start, as they have no fractions of seconds.
                and datetime.datetime.strptime(one.updated_at, _TIME).replace(
                    tzinfo=datetime.timezone.utc
                )
                > started
            ]
            if name == 'nova-compute':
                # It is there when the scheduler has found the host, too.
                return bool(found and list(compute.hypervisors()))
            return bool(found)

        return ready


def _disk() -> bytes:
    """Return a disk that writes the guest's CPUID to its console, and halts.

    Glance and Nova insist on a partition where there is a boot sector.
    """
    sector = cpuid.boot_sector()
    last = _IMAGE_BYTES // len(sector) - 1
    # In CHS both ends are beyond what that can tell; then the sectors.
    chs = b'\xfe\xff\xff'
    entry = struct.pack('<B3sB3sII', 0x80, chs, 0x83, chs, 1, last)
    bootable = (sector[:_PARTITIONS] + entry).ljust(510, b'\0') + sector[510:]
    return bootable.ljust(_IMAGE_BYTES, b'\0')
