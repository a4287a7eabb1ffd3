# SPDX-License-Identifier: Apache-2.0

"""Keeps a guest's record in its instance's system_metadata."""

import dataclasses
import typing

from oslo_log import log as logging

from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import xml
from nova_hyperv_enlight.policy import record

LOG = logging.getLogger(__name__)

# Nova copies it into the properties of snapshots, where it must not be
# mistaken for an image property of ours: those begin with this word and an
# underscore.
KEY = 'hyperv_enlight'
# What was recorded before a migration that may still be reverted.
_OLD_KEY = 'old_hyperv_enlight'


def read(instance: typing.Any) -> record.Record | None:
    """Return an instance's record, None where it has none that counts.

    :param instance: a ``nova.objects.Instance``.
    """
    text = instance.system_metadata.get(KEY)
    if not text:
        return None
    try:
        return record.decode(text)
    except (exception.UnknownRecord, exception.MalformedDocument) as err:
        LOG.warning('%s; it is passed over', err, instance=instance)
        return None


def _is_foreign(text: str) -> bool:
    """Whether a record is of a version that only a newer plugin reads."""
    try:
        record.decode(text)
    except exception.UnknownRecord:
        return True
    except exception.MalformedDocument:
        return False
    return False


def write(instance: typing.Any, recorded: record.Record) -> None:
    """Record what a guest is started with, if that has changed.

    A failure is logged: the guest is started all the same, and Nova's own
    savings are not burdened with what could not be saved. A record of a newer
    plugin is left as it is.
    """
    former = instance.system_metadata.get(KEY)
    try:
        text = record.encode(recorded)
        if text == former or (former and _is_foreign(former)):
            return
        instance.system_metadata[KEY] = text
        # Not all of Nova's ways to start a guest save the instance: at the
        # boot of the host it does not.
        instance.save()
    # Whatever it is, a guest without a record is better than none.
    except Exception as err:
        _put_back(instance, former)
        LOG.warning(
            "The guest's set of Hyper-V enlightenments cannot be recorded: %s",
            err,
            instance=instance,
        )


def _put_back(instance: typing.Any, former: str | None) -> None:
    if former is None:
        instance.system_metadata.pop(KEY, None)
    else:
        instance.system_metadata[KEY] = former


def forget(instance: typing.Any) -> None:
    """Let the next start decide anew. Nova saves the instance."""
    if not _is_foreign(instance.system_metadata.get(KEY) or ''):
        instance.system_metadata.pop(KEY, None)


def stash(instance: typing.Any) -> None:
    """Keep the record of a guest that comes from another host."""
    if KEY in instance.system_metadata:
        instance.system_metadata[_OLD_KEY] = instance.system_metadata[KEY]


def restore(instance: typing.Any) -> bool:
    """Take back the record that a guest left with.

    :returns: whether there was one.
    """
    if _OLD_KEY not in instance.system_metadata:
        return False
    instance.system_metadata[KEY] = instance.system_metadata.pop(_OLD_KEY)
    return True


def confirm(instance: typing.Any) -> None:
    """Forget the record from before a migration. Nova saves the instance."""
    instance.system_metadata.pop(_OLD_KEY, None)


def adopt(instance: typing.Any, host: typing.Any) -> None:
    """Record what a guest was started with before this plugin was there.

    Never raises: a guest that cannot be read is named in a warning.

    :param host: the driver's ``nova.virt.libvirt.host.Host``.
    """
    if instance.system_metadata.get(KEY):
        return
    try:
        text = host.get_guest(instance).get_xml_desc()
        selection = hyperv.read(xml.parse(text, 'domain', 'domain'))
    # libvirt, Nova or the document: nova-compute starts all the same.
    except Exception as err:
        LOG.warning(
            'The Hyper-V enlightenments of this guest cannot be read: %s',
            err,
            instance=instance,
        )
        return
    write(
        instance,
        record.Record(
            profile=record.ADOPTED,
            selection=dataclasses.replace(selection, off=frozenset()),
        ),
    )
