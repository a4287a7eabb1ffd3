# SPDX-License-Identifier: Apache-2.0
"""Where a cloud is: its folder and its ports."""

import dataclasses
import json
import os
import pathlib
import secrets
import sys

from tests.cloud import exception

#: Tells a command where its cloud is.
VARIABLE = 'CLOUD_FOLDER'
ADDRESS = '127.0.0.1'
FIRST_PORT = 27000
#: What listens; each gets the next port.
LISTENERS = (
    'memcached',
    'mariadb',
    'rabbitmq',
    'rabbitmq-distribution',
    'epmd',
    'keystone',
    'glance',
    'placement',
    'neutron',
    'nova-api',
)
_FILE = 'place.json'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One cloud's folder, ports and password.

    :ivar folder: everything that the cloud writes is below it.
    :ivar password: of all accounts, of the database's and RabbitMQ's too.
    """

    folder: pathlib.Path
    first_port: int = FIRST_PORT
    password: str

    @classmethod
    def make(cls, folder: pathlib.Path, first_port: int) -> 'Place':
        """Make a cloud's place in an empty folder."""
        place = cls(
            folder=folder,
            first_port=first_port,
            password=secrets.token_hex(16),
        )
        for name in ('etc', 'home', 'log', 'private', 'run', 'state'):
            place.path(name).mkdir()
        place.path(_FILE).write_text(
            json.dumps({'first_port': first_port, 'password': place.password})
        )
        return place

    @classmethod
    def find(cls) -> 'Place':
        """Return the place of the cloud that this process runs in.

        :raises: NotThere.
        """
        folder = os.environ.get(VARIABLE)
        if not folder:
            raise exception.NotThere()
        path = pathlib.Path(folder)
        return cls(folder=path, **json.loads((path / _FILE).read_text()))

    def path(self, *names: str) -> pathlib.Path:
        """Return a path below the folder."""
        return self.folder.joinpath(*names)

    def log(self, name: str) -> pathlib.Path:
        """Return the path of a service's log."""
        return self.path('log', f'{name}.log')

    def port(self, listener: str) -> int:
        """Return the port of one of LISTENERS."""
        return self.first_port + LISTENERS.index(listener)

    def url(self, listener: str, path: str = '') -> str:
        """Return the URL of a service of OpenStack."""
        return f'http://{ADDRESS}:{self.port(listener)}{path}'

    def environment(self) -> dict[str, str]:
        """Return what a program of this cloud finds in its environment.

        Nothing of what is in ours gets in, but PATH.
        """
        tools = pathlib.Path(sys.prefix, 'bin')
        path = os.environ.get('PATH', os.defpath)
        return {
            'HOME': str(self.path('home')),
            'LANG': 'C.UTF-8',
            'OS_CLIENT_CONFIG_FILE': str(self.path('clouds.yaml')),
            'OS_CLOUD': 'cloud',
            'PATH': f'{tools}{os.pathsep}{path}',
            # stevedore's cache would stay in somebody's home.
            'XDG_CACHE_HOME': str(self.path('home', 'cache')),
            VARIABLE: str(self.folder),
        }
