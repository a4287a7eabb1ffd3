# SPDX-License-Identifier: Apache-2.0
"""The configuration files of the services."""

import collections.abc
import pathlib
import sys

from tests.cloud import place as cloud_place

_ETC = pathlib.Path(sys.prefix, 'etc')
#: The services that have a database each, and accounts.
DATABASES = (
    'keystone',
    'glance',
    'placement',
    'neutron',
    'nova_api',
    'nova_cell0',
    'nova',
)
ACCOUNTS = ('glance', 'placement', 'neutron', 'nova')
#: How often a service tells that it is up, in seconds.
REPORT_SECONDS = 2

_Sections = dict[str, dict[str, object]]


def write(path: pathlib.Path, sections: _Sections) -> None:
    """Write a file as oslo.config reads it; a list is a repeated option."""
    lines = []
    for section, options in sections.items():
        lines.append(f'[{section}]')
        for name, value in options.items():
            values = value if isinstance(value, list) else [value]
            lines += [f'{name} = {one}' for one in values]
    path.write_text('\n'.join(lines) + '\n')


def database(place: cloud_place.Place, name: str) -> str:
    """Return the URL of a database."""
    port = place.port('mariadb')
    return (
        f'mysql+pymysql://cloud:{place.password}@{cloud_place.ADDRESS}:'
        f'{port}/{name}?charset=utf8mb3'
    )


def transport(place: cloud_place.Place) -> str:
    """Return the URL of RabbitMQ."""
    port = place.port('rabbitmq')
    return f'rabbit://cloud:{place.password}@{cloud_place.ADDRESS}:{port}/'


def account(place: cloud_place.Place, name: str) -> dict[str, object]:
    """Return what a service says to Keystone of itself."""
    return {
        'auth_type': 'password',
        'auth_url': place.url('keystone', '/v3'),
        'username': name,
        'password': place.password,
        'project_name': 'service',
        'user_domain_id': 'default',
        'project_domain_id': 'default',
        'region_name': 'RegionOne',
    }


def _common(place: cloud_place.Place, name: str) -> _Sections:
    """Return what all services but Keystone have in common."""
    return {
        'DEFAULT': {
            'transport_url': transport(place),
            'state_path': place.path('state'),
            'my_ip': cloud_place.ADDRESS,
        },
        'database': {'connection': database(place, name)},
        'keystone_authtoken': {
            **account(place, name),
            'www_authenticate_uri': place.url('keystone', '/v3'),
            'memcached_servers': (
                f'{cloud_place.ADDRESS}:{place.port("memcached")}'
            ),
            'service_token_roles_required': 'true',
        },
        'oslo_concurrency': {'lock_path': place.path('run')},
        # A classic queue is enough for one broker of one evening.
        'oslo_messaging_rabbit': {'rabbit_quorum_queue': 'false'},
    }


def _keystone(place: cloud_place.Place) -> _Sections:
    keys = place.path('state')
    return {
        'DEFAULT': {'log_file': ''},
        'database': {'connection': database(place, 'keystone')},
        # As few as there may be: what is guarded lives for an evening.
        'identity': {'password_hash_rounds': 4},
        'fernet_tokens': {'key_repository': keys / 'fernet'},
        'credential': {'key_repository': keys / 'credential'},
        'cache': {
            'enabled': 'true',
            'backend': 'dogpile.cache.pymemcache',
            'memcache_servers': (
                f'{cloud_place.ADDRESS}:{place.port("memcached")}'
            ),
        },
    }


def _glance(place: cloud_place.Place) -> _Sections:
    store = 'filesystem_store_datadir'
    images = place.path('state', 'images')
    common = _common(place, 'glance')
    return {
        **common,
        'DEFAULT': {**common['DEFAULT'], 'enabled_backends': 'files:file'},
        'glance_store': {'default_backend': 'files'},
        'files': {store: images},
        'os_glance_staging_store': {store: f'{images}-staging'},
        'os_glance_tasks_store': {store: f'{images}-tasks'},
        'paste_deploy': {
            'flavor': 'keystone',
            'config_file': _ETC / 'glance' / 'glance-api-paste.ini',
        },
    }


def _placement(place: cloud_place.Place) -> _Sections:
    common = _common(place, 'placement')
    return {
        'placement_database': common['database'],
        'keystone_authtoken': common['keystone_authtoken'],
    }


def _neutron(place: cloud_place.Place) -> _Sections:
    """No agents, no drivers: it says truly that there are no ports."""
    common = _common(place, 'neutron')
    return {
        **common,
        'DEFAULT': {
            **common['DEFAULT'],
            'core_plugin': 'ml2',
            'service_plugins': 'router,port_forwarding',
            'api_paste_config': _ETC / 'neutron' / 'api-paste.ini',
            'notify_nova_on_port_status_changes': 'false',
            'notify_nova_on_port_data_changes': 'false',
        },
        'ml2': {
            'type_drivers': 'local',
            'tenant_network_types': 'local',
            'mechanism_drivers': '',
            'extension_drivers': '',
        },
    }


def _nova(place: cloud_place.Place) -> _Sections:
    common = _common(place, 'nova')
    return {
        **common,
        'DEFAULT': {
            **common['DEFAULT'],
            'report_interval': REPORT_SECONDS,
            # A machine that is busy is not one that is down.
            'service_down_time': 120,
            'rpc_response_timeout': 180,
            # Nothing is under way when a test restarts it.
            'graceful_shutdown_timeout': 10,
            'manager_shutdown_timeout': 2,
        },
        'api_database': {'connection': database(place, 'nova_api')},
        'placement': account(place, 'placement'),
        'neutron': account(place, 'neutron'),
        'glance': account(place, 'glance'),
        'service_user': {
            **account(place, 'nova'),
            'send_service_user_token': 'true',
        },
        'conductor': {'workers': 1},
        'scheduler': {
            'workers': 1,
            'discover_hosts_in_cells_interval': REPORT_SECONDS,
        },
        'vnc': {'enabled': 'false'},
    }


_FILES: dict[str, collections.abc.Callable[[cloud_place.Place], _Sections]] = {
    'keystone': _keystone,
    'glance-api': _glance,
    'placement': _placement,
    'neutron': _neutron,
    'nova': _nova,
}


def path(place: cloud_place.Place, name: str) -> pathlib.Path:
    """Return the path of a service's file."""
    return place.path('etc', f'{name}.conf')


def write_all(place: cloud_place.Place) -> None:
    """Write the files of all services, and clouds.yaml."""
    for name, sections in _FILES.items():
        write(path(place, name), sections(place))
    place.path('clouds.yaml').write_text(
        f"""\
clouds:
  cloud:
    region_name: RegionOne
    auth:
      auth_url: {place.url('keystone', '/v3')}
      username: admin
      password: {place.password}
      project_name: admin
      user_domain_id: default
      project_domain_id: default
"""
    )
