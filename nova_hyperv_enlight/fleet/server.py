# SPDX-License-Identifier: Apache-2.0

"""Reads one server of a cloud, and what is known of its host.

https://docs.openstack.org/api-ref/compute/
https://docs.openstack.org/api-ref/image/v2/
"""

import collections.abc
import dataclasses
import re
import typing
import uuid

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import cloud
from nova_hyperv_enlight.fleet import documents
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import event
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings

# A libvirt that no fact of the catalogue is newer than.
_NEW_ENOUGH = (999, 0, 0)
#: Servers can be found, and their actions listed.
_FIRST = '2.1'
#: A server has its flavor's extra specs.
_FLAVOR = '2.47'
#: Hypervisors can be found by a name, and have their providers' UUIDs.
_HYPERVISORS = '2.53'
#: The events of a server's actions have details.
_DETAILS = '2.84'
#: A server has its image's properties, those that Nova knows.
_IMAGE = '2.98'
#: Traits of a provider can be read.
_TRAITS = '1.6'
# How many actions are looked into for the last start. Most servers have few;
# each costs a request.
_ACTIONS = 20
_NOT_ACCEPTABLE = 406
_FORBIDDEN = 403
_NOT_FOUND = 404

# nova/virt/hardware.py, get_mem_encryption_constraint.
_ENCRYPTED = ('hw:mem_encryption', 'hw_mem_encryption')
_HYPERVISOR = 'OS-EXT-SRV-ATTR:hypervisor_hostname'
_TRAIT_NAMES = {
    entry.trait: name for name, entry in enlightenments.ENLIGHTENMENTS.items()
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LastStart:
    """What nova-compute left of a guest's last start.

    :ivar time: when that was, as the API writes it.
    :ivar host: the host, None where this user does not see it.
    :ivar event: what it says.
    """

    time: str
    host: str | None
    event: event.Event


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server, as far as the APIs show it.

    :ivar uuid: its UUID.
    :ivar name: its name.
    :ivar launched: it was started before.
    :ivar extra_specs: those of its flavor, which Nova keeps with it.
    :ivar image_properties: those of its image.
    :ivar image_read: all of them could be read.
    :ivar host: its host, by what that reports to placement.
    :ivar silent: the host reports none of the traits.
    :ivar last_start: None where there is none to be read.
    :ivar missing: a sentence for each thing that the APIs do not show here.
    """

    uuid: str
    name: str
    launched: bool
    extra_specs: typing.Mapping[str, str]
    image_properties: typing.Mapping[str, str]
    image_read: bool
    host: documents.Host
    silent: bool
    last_start: LastStart | None
    missing: tuple[str, ...]

    @property
    def recorded(self) -> record.Record | None:
        """What it was started with, None where the API does not show it."""
        return self.last_start.event.recorded if self.last_start else None


def decide(
    conf: settings.Settings,
    server: Server,
    image_properties: typing.Mapping[str, str],
) -> decision.Decision:
    """Decide what a server gets at its next start on its host.

    :param conf: the options of its host.
    :param image_properties: the properties of its image.
    :raises InvalidRequest: the request is not allowed, or possible on no host.
    :raises HostCannotDeliver: it is not possible on this host.
    """
    asked = request.from_properties(
        os_type=image_properties.get('os_type'),
        extra_specs=server.extra_specs,
        image_properties=image_properties,
        encrypted=_is_encrypted(server.extra_specs, image_properties),
        started=server.launched,
    )
    return resolve.resolve(
        conf, asked, server.host.capabilities, server.recorded
    )


def _with_releases(
    host: documents.Host,
    libvirt: model.Version | None,
    qemu: model.Version | None,
) -> documents.Host:
    """Return a host with what no API tells of it.

    An unknown libvirt counts as one that can do everything.
    """
    found = host.capabilities
    sources = dataclasses.replace(
        found.sources, libvirt=libvirt or _NEW_ENOUGH, qemu=qemu
    )
    return dataclasses.replace(
        host, capabilities=dataclasses.replace(found, sources=sources)
    )


def _is_encrypted(*properties: typing.Mapping[str, str]) -> bool:
    """Whether a flavor or an image asks Nova for encrypted memory."""
    return any(
        request.is_true(each[key])
        for each in properties
        for key in _ENCRYPTED
        if key in each
    )


def is_certain(
    conf: settings.Settings, server: Server, outcome: decision.Outcome
) -> bool:
    """Whether an outcome counts on nothing that only the host knows.

    That is the guest's record, where the API does not show it, the release of
    libvirt, and whether the guest's CPU shows vmx or svm.
    """
    if outcome.reason is decision.Reason.NOT_CONCERNED:
        return True
    if outcome.reason is decision.Reason.LEFT:
        return server.host.capabilities.sources.libvirt != _NEW_ENOUGH
    if server.launched and conf.keep_recorded and server.recorded is None:
        return outcome.source in request.EXPLICIT
    entry = enlightenments.ENLIGHTENMENTS[outcome.name]
    return outcome.state is not decision.State.ON or not entry.nests


class ServerCloud(cloud.Cloud):
    """A cloud that is asked about one server."""

    def read_server(
        self,
        name: str,
        *,
        libvirt: model.Version | None = None,
        qemu: model.Version | None = None,
    ) -> Server:
        """Read a server.

        :param name: its name or UUID.
        :param libvirt: the release of its host's libvirt, where it is known.
        :param qemu: the release of its host's QEMU, where it is known.
        :raises InvalidRequest: there is no such server, or several, or it is
            on no host.
        :raises CloudError: the cloud does not answer, or not to this user.
        """
        missing: list[str] = []
        found = self._find(name, missing)
        host, silent = self._host_of(found)
        host = _with_releases(host, libvirt, qemu)
        properties, image_read = self._image_properties(found, missing)
        return Server(
            uuid=found['id'],
            name=found['name'],
            launched=found.get('OS-SRV-USG:launched_at') is not None,
            extra_specs=self._extra_specs(found),
            image_properties=properties,
            image_read=image_read,
            host=host,
            silent=silent,
            last_start=self._last_start(found['id'], missing),
            missing=tuple(missing),
        )

    def _try(
        self, service: str, path: str, version: str, key: str, **query: str
    ) -> dict[str, typing.Any] | None:
        """Ask; None where the API is older than a microversion."""
        try:
            return self._get(service, path, version, key, **query)
        except exception.CloudError as err:
            if cloud.status_of(err.__cause__) != _NOT_ACCEPTABLE:
                raise
            return None

    def _need(
        self, service: str, path: str, version: str, key: str, **query: str
    ) -> dict[str, typing.Any]:
        """Ask, and name the microversion where the API is too old."""
        found = self._try(service, path, version, key, **query)
        if found is None:
            raise exception.CloudError(
                cloud=self._name,
                reason=(
                    f'{service} {version} is needed for {path}, and its API '
                    'is older; upgrade the service.'
                ),
            )
        return found

    def _uuid(self, name: str) -> str:
        try:
            return str(uuid.UUID(name))
        except ValueError:
            pass
        found = self._need(
            'compute',
            '/servers',
            _FIRST,
            'servers',
            # Nova takes a regular expression.
            name=f'^{re.escape(name)}$',
            all_tenants='True',
        )['servers']
        # The database compares without case.
        matching = [each['id'] for each in found if each['name'] == name]
        if len(matching) == 1:
            return str(matching[0])
        if not matching:
            raise exception.InvalidRequest(
                reason=(
                    f'The cloud {self._name!r} has no server {name!r}; look '
                    'for it with "openstack server list --all-projects".'
                )
            )
        raise exception.InvalidRequest(
            reason=(
                f'The cloud {self._name!r} has {len(matching)} servers '
                f'{name!r}; name one by its UUID: '
                f'{", ".join(sorted(matching))}.'
            )
        )

    def _find(self, name: str, missing: list[str]) -> dict[str, typing.Any]:
        path = f'/servers/{self._uuid(name)}'
        try:
            found = self._try('compute', path, _IMAGE, 'server')
        except exception.CloudError as err:
            if cloud.status_of(err.__cause__) != _NOT_FOUND:
                raise
            raise exception.InvalidRequest(
                reason=(
                    f'The cloud {self._name!r} has no server {name!r} that '
                    'this user may see.'
                )
            ) from err
        if found is None:
            found = self._need('compute', path, _FLAVOR, 'server')
            missing.append(
                f'Before compute {_IMAGE} a server does not show the '
                'properties that its image had: the image is read as it is '
                'now.'
            )
        return typing.cast(dict[str, typing.Any], found['server'])

    def _hidden(self, what: str, policy: str) -> exception.CloudError:
        return exception.CloudError(
            cloud=self._name,
            reason=f'Nova does not show {what} to this user; allow it the '
            f'policy {policy}.',
        )

    def _extra_specs(
        self, found: typing.Mapping[str, typing.Any]
    ) -> dict[str, str]:
        specs = found['flavor'].get('extra_specs')
        if specs is None:
            raise self._hidden(
                "a flavor's extra specs",
                'os_compute_api:servers:show:flavor-extra-specs',
            )
        return dict(specs)

    def _image_properties(
        self, found: typing.Mapping[str, typing.Any], missing: list[str]
    ) -> tuple[dict[str, str], bool]:
        """Return the properties of a server's image, and whether all."""
        image = found['image'] or {}
        kept = image.get('properties') or {}
        if not image:
            missing.append(
                'The server boots from a volume, whose image properties '
                'are not read: give them by --image.'
            )
            return {}, False
        try:
            now = self._need('image', f'/images/{image["id"]}', '', 'id')
        except exception.CloudError as err:
            if cloud.status_of(err.__cause__) not in (_NOT_FOUND, _FORBIDDEN):
                raise
            missing.append(
                'Its image cannot be read in Glance: give its properties by '
                '--image.'
            )
            return {key: str(value) for key, value in kept.items()}, False
        if any(key.startswith(request.PROPERTY_PREFIX) for key in now):
            missing.append(
                'Properties hyperv_enlight_* are of the image as it is now: '
                'Nova shows only those that it knows itself.'
            )
        texts = {
            key: value for key, value in now.items() if isinstance(value, str)
        }
        if kept:
            # What the server was made with counts, where Nova shows it.
            texts = {
                key: value
                for key, value in texts.items()
                if key.startswith(request.PROPERTY_PREFIX)
            }
        return {**texts, **kept}, True

    def _host_of(
        self, found: typing.Mapping[str, typing.Any]
    ) -> tuple[documents.Host, bool]:
        """Return a server's host, and whether it reports nothing."""
        if _HYPERVISOR not in found:
            raise self._hidden(
                "a server's host",
                'os_compute_api:os-extended-server-attributes',
            )
        name = found[_HYPERVISOR]
        if not name:
            raise exception.InvalidRequest(
                reason=(
                    f'Server {found["name"]!r} ({found["status"]}) is on no '
                    'host, so nothing can be decided.'
                )
            )
        node = next(
            (node for node in self._nodes_like(name) if node.name == name),
            None,
        )
        if node is None:
            raise exception.InvalidRequest(
                reason=f'The cloud {self._name!r} has no hypervisor {name!r}.'
            )
        traits = self._need(
            'placement',
            f'/resource_providers/{node.uuid}/traits',
            _TRAITS,
            'traits',
        )['traits']
        names = {
            _TRAIT_NAMES[trait] for trait in traits if trait in _TRAIT_NAMES
        }
        return self._host(node, names), not names

    def _nodes_like(self, name: str) -> collections.abc.Iterable[cloud.Node]:
        found = self._need(
            'compute',
            '/os-hypervisors/detail',
            _HYPERVISORS,
            'hypervisors',
            hypervisor_hostname_pattern=name,
        )
        return [cloud.node(each) for each in found['hypervisors']]

    def _last_start(self, server: str, missing: list[str]) -> LastStart | None:
        """Return what nova-compute left of the last start.

        It is not needed to decide: where it cannot be read, a sentence says
        why.
        """
        path = f'/servers/{server}/os-instance-actions'
        unknown = 'What the guest was started with is known to its host only: '
        actions = self._need('compute', path, _FIRST, 'instanceActions')
        for action in actions['instanceActions'][:_ACTIONS]:
            found = self._try(
                'compute',
                f'{path}/{action["request_id"]}',
                _DETAILS,
                'instanceAction',
            )
            if found is None:
                missing.append(
                    f'{unknown}compute {_DETAILS} is needed to read it.'
                )
                return None
            # The last one counts: a build may have been tried elsewhere.
            left = [
                each
                for each in found['instanceAction'].get('events', ())
                if each['event'] in event.NAMES
            ]
            if not left:
                continue
            last = max(left, key=lambda each: str(each['start_time']))
            if last.get('details') is None:
                missing.append(
                    f'{unknown}this user needs the policy os_compute_api:'
                    'os-instance-actions:events:details.'
                )
                return None
            return LastStart(
                time=last['start_time'],
                host=last.get('host'),
                event=event.read(last['event'], last['details']),
            )
        missing.append(
            f'{unknown}none of its last {_ACTIONS} actions has an event '
            f'{event.STARTED}.'
        )
        return None
