# SPDX-License-Identifier: Apache-2.0

"""Reads what the hosts of a cloud offer from the traits in placement.

nova-compute reports them with ``report_traits``, for its default machine
type. Nova's API says which hosts there are, and of which vendor. Each question
is asked with the lowest microversion that has the answer:
https://docs.openstack.org/api-ref/compute/
https://docs.openstack.org/api-ref/placement/
"""

import collections.abc
import contextlib
import dataclasses
import types
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import documents
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import kvm

_CATALOGUE = enlightenments.ENLIGHTENMENTS

#: Services and aggregates say all that is needed from the first one on.
_FIRST = '2.1'
#: Hypervisors have the UUIDs of their resource providers, and come in pages.
#: From 2.88 on they have no vendor.
_HYPERVISORS = '2.53'
#: Traits can be listed.
_TRAITS = '1.6'
#: Providers can be listed by a trait.
_PROVIDERS = '1.18'

# What libvirt's driver reports for QEMU and KVM alike:
# nova/virt/libvirt/host.py, get_driver_type.
_QEMU = 'QEMU'
# What to do, by the HTTP status of an answer.
_REMEDIES = {
    401: 'check the user and the password in clouds.yaml',
    403: (
        'the user in clouds.yaml must be allowed to list hypervisors, '
        'aggregates and services, and the traits and resource providers of '
        'placement'
    ),
    406: f'compute {_HYPERVISORS} and placement {_PROVIDERS} are needed',
    500: "the service's log says why",
    503: 'the service is down: try again later',
}
_CHECK_ADDRESSES = (
    'check auth_url and region_name in clouds.yaml, and the endpoints of the '
    'services'
)
_VENDORS = {vendor.value: vendor for vendor in model.Vendor}
_Answer = typing.TypeVar('_Answer')


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A compute node of the cloud.

    :ivar uuid: the UUID of its resource provider.
    :ivar name: the name of its hypervisor.
    :ivar service: the name of its nova-compute's host.
    :ivar kind: what its hypervisor is.
    :ivar vendor: the vendor of its processor, None where it is not known.
    """

    uuid: str
    name: str
    service: str
    kind: str
    vendor: model.Vendor | None


def status_of(err: BaseException | None) -> int | None:
    """Return the HTTP status that an exception has, None without one."""
    # keystoneauth's exceptions have the one, openstacksdk's the other.
    return getattr(err, 'http_status', getattr(err, 'status_code', None))


def node(found: typing.Mapping[str, typing.Any]) -> Node:
    """Return the node that Nova describes as a hypervisor."""
    return Node(
        uuid=found['id'],
        name=found['hypervisor_hostname'],
        service=found['service']['host'],
        kind=found['hypervisor_type'],
        # Drivers other than libvirt's may have none.
        vendor=_VENDORS.get((found['cpu_info'] or {}).get('vendor', '')),
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CloudHosts:
    """What was found in a cloud.

    :ivar hosts: its hosts.
    :ivar others: the names of compute nodes that are no QEMU hosts, and were
        passed over.
    :ivar silent: the names of hosts that report none of the traits.
    :ivar unknown: traits that look like the plugin's and are not of the
        catalogue: a newer plugin's, or another program's.
    """

    hosts: tuple[documents.Host, ...]
    others: tuple[str, ...]
    silent: tuple[str, ...]
    unknown: tuple[str, ...]


class Cloud:
    """A cloud, by its name in clouds.yaml.

    :param name: its name.
    :raises CloudError: there is no such cloud, or no openstacksdk.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._connection = self._ask(lambda: _connect(name))

    def read(
        self, aggregate: str | None = None, zone: str | None = None
    ) -> CloudHosts:
        """Read what hosts offer.

        :param aggregate: only hosts of this host aggregate.
        :param zone: only hosts of this availability zone.
        :raises InvalidRequest: there is no such aggregate or zone.
        :raises CloudError: the cloud does not answer, or not to this user.
        """
        chosen = self._chosen(aggregate, zone)
        nodes = [
            node
            for node in self._nodes()
            if chosen is None or node.service in chosen
        ]
        reported, unknown = self._reported()
        hosts = [node for node in nodes if node.kind == _QEMU]
        return CloudHosts(
            hosts=tuple(
                self._host(node, reported.get(node.uuid, set()))
                for node in hosts
            ),
            others=tuple(n.name for n in nodes if n.kind != _QEMU),
            silent=tuple(n.name for n in hosts if n.uuid not in reported),
            unknown=unknown,
        )

    def _ask(self, question: collections.abc.Callable[[], _Answer]) -> _Answer:
        try:
            return question()
        except exception.CloudError:
            raise
        except Exception as err:
            # openstacksdk's own exceptions, and those of its libraries.
            raise exception.CloudError(
                cloud=self._name, reason=_with_remedy(err)
            ) from err

    def _get(
        self, service: str, path: str, version: str, key: str, **query: str
    ) -> dict[str, typing.Any]:
        """Return what a service answers: a JSON object with this key."""

        def get() -> dict[str, typing.Any]:
            from openstack import exceptions

            # Its adapters know the place and the token. Its own objects
            # would cost more than the answers: there is one for each
            # provider and trait.
            response = getattr(self._connection, service).get(
                path, params=query, microversion=version
            )
            exceptions.raise_from_response(response)
            return _object(response, key)

        return self._ask(get)

    def _pages(self) -> collections.abc.Iterator[dict[str, typing.Any]]:
        """Return all hypervisors, page by page."""
        query: dict[str, str] = {}
        while True:
            page = self._get(
                'compute',
                '/os-hypervisors/detail',
                _HYPERVISORS,
                'hypervisors',
                **query,
            )
            yield from page['hypervisors']
            if not page.get('hypervisors_links'):
                return
            query['marker'] = page['hypervisors'][-1]['id']

    def _nodes(self) -> list[Node]:
        return [node(found) for found in self._pages()]

    def _chosen(
        self, aggregate: str | None, zone: str | None
    ) -> set[str] | None:
        """Return the names of the services that are meant; None is all."""
        sets = []
        if aggregate is not None:
            found = self._get(
                'compute', '/os-aggregates', _FIRST, 'aggregates'
            )
            aggregates = {
                each['name']: set(each['hosts'])
                for each in found['aggregates']
            }
            sets.append(self._member('aggregate', aggregate, aggregates))
        if zone is not None:
            found = self._get(
                'compute',
                '/os-services',
                _FIRST,
                'services',
                binary='nova-compute',
            )
            zones: dict[str, set[str]] = {}
            for service in found['services']:
                zones.setdefault(service['zone'], set()).add(service['host'])
            sets.append(self._member('availability zone', zone, zones))
        return set.intersection(*sets) if sets else None

    def _member(
        self, what: str, name: str, found: typing.Mapping[str, set[str]]
    ) -> set[str]:
        if name not in found:
            raise exception.InvalidRequest(
                reason=(
                    f'The cloud {self._name!r} has no {what} {name!r}; it '
                    f'has {", ".join(sorted(found)) or "none"}.'
                )
            )
        return found[name]

    def _reported(self) -> tuple[dict[str, set[str]], tuple[str, ...]]:
        """Return what providers report, and which traits are not known.

        :returns: names of the catalogue, by the provider's UUID.
        """
        there = set(
            self._get(
                'placement',
                '/traits',
                _TRAITS,
                'traits',
                name=f'startswith:{model.TRAIT_PREFIX}',
                associated='true',
            )['traits']
        )
        reported: dict[str, set[str]] = {}
        for name, entry in _CATALOGUE.items():
            if entry.trait not in there:
                # Placement refuses to list by one that it does not know.
                continue
            found = self._get(
                'placement',
                '/resource_providers',
                _PROVIDERS,
                'resource_providers',
                required=entry.trait,
            )
            for provider in found['resource_providers']:
                reported.setdefault(provider['uuid'], set()).add(name)
        known = {entry.trait for entry in _CATALOGUE.values()}
        return reported, tuple(sorted(there - known))

    def _host(self, node: Node, names: set[str]) -> documents.Host:
        return documents.Host(
            name=node.name,
            source=f'cloud {self._name}, {node.uuid}',
            capabilities=capabilities.HostCapabilities(
                sources=capabilities.Sources(
                    virt_type='kvm',
                    arch='x86_64',
                    kernel=kvm.KernelFacts(vendor=node.vendor),
                ),
                features=types.MappingProxyType(
                    {name: _OFFERS[name, name in names] for name in _CATALOGUE}
                ),
            ),
        )


def _offer(
    entry: model.Enlightenment, offered: bool
) -> capabilities.Capability:
    return capabilities.Capability(
        name=entry.name,
        offered=offered,
        source=capabilities.CapabilitySource.PLACEMENT,
        evidence=(
            f'placement has {entry.trait} of it'
            if offered
            else f'placement does not have {entry.trait} of it'
        ),
    )


_OFFERS = types.MappingProxyType(
    {
        (name, offered): _offer(entry, offered)
        for name, entry in _CATALOGUE.items()
        for offered in (True, False)
    }
)


def _object(response: typing.Any, key: str) -> dict[str, typing.Any]:
    """Return the JSON object with this key that is in a response."""
    with contextlib.suppress(ValueError):
        found = response.json()
        if isinstance(found, dict) and key in found:
            return found
    raise ValueError(f'{response.url} answers without {key!r}')


def _with_remedy(err: Exception) -> str:
    """Say in one line what has failed, and what can be done about it."""
    # Services answer in several lines.
    text = ' '.join(str(err).split()).rstrip('.:')
    remedy = _REMEDIES.get(status_of(err) or 0, _CHECK_ADDRESSES)
    return f'{text}; {remedy}.'


def _connect(name: str) -> typing.Any:
    try:
        # Imported here: all else works without it.
        import openstack
    except ImportError as err:
        raise exception.CloudError(
            cloud=name,
            reason=(
                'the Python package openstacksdk is missing; pip install '
                'nova-hyperv-enlight[cloud]'
            ),
        ) from err
    try:
        return openstack.connect(cloud=name)
    except openstack.exceptions.ConfigException as err:
        raise exception.CloudError(
            cloud=name, reason=f'{err} {_known_clouds(openstack)}'
        ) from err


def _known_clouds(openstack: typing.Any) -> str:
    """Say which clouds openstacksdk knows."""
    config = openstack.config.OpenStackConfig()
    if config.config_filename is None:
        return (
            'There is no clouds.yaml that can be read in this directory, '
            '~/.config/openstack or /etc/openstack.'
        )
    # Any variable OS_* makes another one.
    names = set(config.get_cloud_names()) - {config.envvar_key}
    found = ', '.join(sorted(names)) or 'none'
    return f'The clouds in {config.config_filename}: {found}.'
