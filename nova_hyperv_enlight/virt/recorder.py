# SPDX-License-Identifier: Apache-2.0

"""Keeps a guest's record in its instance's system_metadata."""

import typing

from nova import objects
from oslo_log import log as logging

from nova_hyperv_enlight import exception
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


def is_foreign(instance: typing.Any) -> bool:
    """Whether an instance's record is one that only a newer plugin reads."""
    try:
        record.decode(instance.system_metadata.get(KEY) or '')
    except exception.UnknownRecord:
        return True
    except exception.MalformedDocument:
        return False
    return False


def load(context: typing.Any, uuid: str) -> typing.Any:
    """Return an instance as it is now, to save our key and nothing else.

    Nova saves system_metadata as a whole: a key that others have written
    since an instance was read would be deleted.

    :param context: Nova's request context.
    :returns: a ``nova.objects.Instance`` with its system_metadata.
    :raises InstanceNotFound: it was deleted.
    """
    return objects.Instance.get_by_uuid(
        context, uuid, expected_attrs=['system_metadata']
    )


def _put(instance: typing.Any, text: str | None) -> None:
    if text is None:
        instance.system_metadata.pop(KEY, None)
    else:
        instance.system_metadata[KEY] = text


def _save(instance: typing.Any, text: str | None) -> None:
    fresh = load(instance._context, instance.uuid)
    _put(fresh, text)
    fresh.save()
    others = 'system_metadata' in instance.obj_what_changed()
    _put(instance, text)
    if not others:
        # Nova has nothing to save of it.
        instance.obj_reset_changes(['system_metadata'])


def write(instance: typing.Any, recorded: record.Record) -> None:
    """Record what a guest is started with, if that has changed.

    A failure is logged: the guest is started all the same, and Nova's own
    savings are not burdened with what could not be saved. A record of a newer
    plugin is left as it is.
    """
    try:
        text = record.encode(recorded)
        if text == instance.system_metadata.get(KEY) or is_foreign(instance):
            return
        # Not all of Nova's ways to start a guest save the instance: at the
        # boot of the host it does not.
        _save(instance, text)
    # Whatever it is, a guest without a record is better than none.
    except Exception as err:
        LOG.warning(
            "The guest's set of Hyper-V enlightenments cannot be recorded: %s",
            err,
            instance=instance,
        )


def remove(instance: typing.Any) -> None:
    """Remove a guest's record, as it starts with Nova's own list.

    A failure is logged, as in :func:`write`.
    """
    if KEY not in instance.system_metadata or is_foreign(instance):
        return
    try:
        _save(instance, None)
    # As above; a live migration may be refused for a set that is not there.
    except Exception as err:
        LOG.warning(
            'The record of this guest names Hyper-V enlightenments that it '
            'is not started with, and cannot be removed: %s',
            err,
            instance=instance,
        )


def forget(instance: typing.Any) -> None:
    """Let the next start decide anew. Nova saves the instance."""
    if not is_foreign(instance):
        _put(instance, None)


def stash(instance: typing.Any, migration: typing.Any) -> None:
    """Keep the record of a guest from another host.

    With the migration that it came by: Nova's own driver, on the other host,
    leaves an older one as it is. Nova saves the instance.

    :param migration: the ``nova.objects.Migration``.
    """
    text = instance.system_metadata.get(KEY)
    instance.system_metadata.pop(_OLD_KEY, None)
    if text is not None:
        stashed = f'{migration.id}:{text}'
        if len(stashed) <= record.MAX_LENGTH:
            instance.system_metadata[_OLD_KEY] = stashed


def restore(instance: typing.Any, migration: typing.Any) -> bool:
    """Take back the record that a guest left with. Nova saves the instance.

    :param migration: the ``nova.objects.Migration`` that is reverted.
    :returns: whether there was one.
    """
    stashed = instance.system_metadata.pop(_OLD_KEY, '')
    of, _, text = stashed.partition(':')
    if of != str(migration.id):
        return False
    instance.system_metadata[KEY] = text
    return True


def confirm(instance: typing.Any) -> None:
    """Forget the record from before a migration. Nova saves the instance."""
    instance.system_metadata.pop(_OLD_KEY, None)
