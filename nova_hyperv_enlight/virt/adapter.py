# SPDX-License-Identifier: Apache-2.0

"""Translates between Nova and this package: objects in, exceptions out."""

import collections.abc
import contextlib
import typing

from lxml import etree
from nova.compute import task_states
from nova import exception as nova_exception
from nova.virt.libvirt import utils as libvirt_utils
from oslo_log import log as logging

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import request

LOG = logging.getLogger(__name__)

#: What a tenant reads of an unexpected error.
_UNFORESEEN = (
    'The Hyper-V enlightenments of this guest cannot be decided: the log of '
    'nova-compute has the reason.'
)
# nova-api stores an image's properties in an instance's system_metadata
# under this prefix, also those that ImageMeta drops: nova/utils.py,
# get_system_metadata_from_image.
_IMAGE_PREFIX = 'image_'


def image_properties(instance: typing.Any) -> dict[str, str]:
    """Return all properties of the image that an instance was made from.

    :param instance: a ``nova.objects.Instance``.
    """
    return {
        key.removeprefix(_IMAGE_PREFIX): value
        for key, value in instance.system_metadata.items()
        if key.startswith(_IMAGE_PREFIX) and value is not None
    }


def shows_virtualization(cpu: typing.Any) -> bool:
    """Whether a guest's CPU shows vmx or svm, if the host has it.

    :param cpu: a ``LibvirtConfigGuestCPU``, None for libvirt's default.
    """
    if cpu is None:
        return False
    return domain.shows_virtualization(
        cpu.mode, {feature.name: feature.policy for feature in cpu.features}
    )


def to_request(
    config: typing.Any, instance: typing.Any, started: bool = False
) -> request.Request:
    """Read what an instance asks for.

    :param config: the LibvirtConfigGuest that Nova has made of it.
    :param instance: a ``nova.objects.Instance`` with its flavor.
    :param started: whether it was started before.
    :raises InvalidRequest: see :func:`.request.from_properties`.
    """
    return request.from_properties(
        os_type=instance.os_type,
        extra_specs=instance.flavor.extra_specs or {},
        image_properties=image_properties(instance),
        nested=shows_virtualization(config.cpu),
        encrypted=config.launch_security is not None,
        started=started,
    )


def own_selection(config: typing.Any) -> selections.Selection:
    """Return the enlightenments that Nova itself has chosen for a guest.

    :param config: the LibvirtConfigGuest, before any hook.
    """
    root = etree.Element('domain')
    features = etree.SubElement(root, 'features')
    for feature in config.features:
        if feature.root_name == hyperv.HYPERV:
            features.append(feature.format_dom())
    if config.clock is not None:
        root.append(config.clock.format_dom())
    return hyperv.read(root)


def is_windows(instance: typing.Any) -> bool:
    """Whether an instance is a Windows guest."""
    return request.is_windows(instance.os_type)


def is_resize(migration: typing.Any) -> bool:
    """Whether a ``nova.objects.Migration`` brings another flavor."""
    return (
        'migration_type' in migration and migration.migration_type == 'resize'
    )


def is_resize_here(migration: typing.Any) -> bool:
    """Whether a resize stayed in its cell: both hosts share the instance.

    One that comes from another cell leaves the instance of its old cell as
    it was.
    """
    return is_resize(migration) and not (
        'cross_cell_move' in migration and migration.cross_cell_move
    )


def is_resized(instance: typing.Any) -> bool:
    """Whether an instance is being started with another flavor.

    ``_finish_snapshot_based_resize_at_dest`` in nova/compute/manager.py,
    which hands no migration on, comes here with both flavors; that of a cold
    migration is the same.
    """
    if instance.task_state != task_states.RESIZE_FINISH:
        return False
    old = instance.old_flavor
    return old is not None and bool(old.id != instance.flavor.id)


def machine_of(instance: typing.Any) -> tuple[str, str | None]:
    """Return a guest's architecture and machine type."""
    meta = instance.image_meta
    return libvirt_utils.get_arch(meta), libvirt_utils.get_machine_type(meta)


def default_machine(arch: str) -> str | None:
    """Return the machine type of guests that name none."""
    machine: str | None = libvirt_utils.get_default_machine_type(arch)
    return machine


def refused_migration(
    instance: typing.Any, destination: str, reason: str, for_tenants: str
) -> nova_exception.NovaException:
    """Return the exception that lets Nova try another destination.

    Its text is also kept as a fault of the server: neither host is named,
    nor what it is like. The log has that.

    :param reason: what keeps the guest from the host.
    :param for_tenants: what of that a tenant may read.
    """
    LOG.warning(
        'The Hyper-V enlightenments of this guest do not allow it to move '
        'from %s to %s. %s',
        instance.host,
        destination,
        reason,
        instance=instance,
    )
    return nova_exception.MigrationPreCheckError(
        reason=(
            'The Hyper-V enlightenments of this guest do not allow it to '
            f'move to that host. {for_tenants}'
        )
    )


class HostCannotDeliver(nova_exception.NovaException):
    """Nova's form of the same: the build goes to another host."""

    msg_fmt = '%(reason)s'


def _for_tenants(err: Exception, instance: typing.Any) -> str:
    """Log what an exception says beyond what tenants may read.

    :returns: what they may read.
    """
    if not isinstance(err, exception.EnlightException):
        LOG.exception('Unforeseen: %s', err, instance=instance)
        return _UNFORESEEN
    if isinstance(err, exception.HostCannotDeliver):
        LOG.warning('%s', err, instance=instance)
    elif err.for_tenants != str(err):
        LOG.exception('%s', err, instance=instance)
    return err.for_tenants


@contextlib.contextmanager
def translated(
    instance: typing.Any, migrates: bool = False
) -> collections.abc.Iterator[None]:
    """Turn exceptions into those of Nova, with what tenants may read.

    nova-compute aborts a build that raises InvalidInput, with the reason in
    the server's fault, and tries another host for any other exception. The
    text of that becomes the fault, too, whatever its class:
    ``_build_and_run_instance`` in nova/compute/manager.py. So nothing but
    exceptions of Nova leaves here.

    :param instance: the ``nova.objects.Instance``, for the log.
    :param migrates: whether Nova asks before a live migration: it tries
        another destination for MigrationPreCheckError only.
    """
    another: type[nova_exception.NovaException] = HostCannotDeliver
    if migrates:
        another = nova_exception.MigrationPreCheckError
    try:
        yield
    except nova_exception.NovaException:
        raise
    except exception.InvalidRequest as err:
        raise nova_exception.InvalidInput(
            reason=_for_tenants(err, instance)
        ) from err
    # Whatever fails here, Nova gets one of its own errors.
    except Exception as err:
        raise another(reason=_for_tenants(err, instance)) from err
