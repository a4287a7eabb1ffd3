# SPDX-License-Identifier: Apache-2.0

"""Records of guests that were started by something else than this driver.

Nova's own driver leaves a record as it is when it starts a guest, and gives
it another set. So the document of a running guest wins over its record.
"""

import dataclasses
import typing

from nova import exception as nova_exception
from oslo_log import log as logging

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.host import parsing
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.virt import recorder

LOG = logging.getLogger(__name__)

#: How many records are saved at a time. Each is two calls of nova-conductor,
#: and many hosts may start at once.
AT_A_TIME = 50


def find(instance: typing.Any, host: typing.Any) -> record.Record | None:
    """Return the record that a guest lacks, None where it lacks none.

    Never raises: a guest that cannot be read is named in a warning. Every
    Windows guest is read at each start, also one that could not be read the
    last time: what Nova's own driver did in between is told by nothing else.

    :param instance: a ``nova.objects.Instance``.
    :param host: the driver's ``nova.virt.libvirt.host.Host``.
    """
    if recorder.is_foreign(instance):
        return None
    recorded = recorder.read(instance)
    try:
        guest = host.get_guest(instance)
        if recorded is not None and not guest.is_active():
            # Its document is what the next start replaces.
            return None
        document = parsing.parse(guest.get_xml_desc(), 'domain', 'domain')
        running = _plain(hyperv.read(document))
    except nova_exception.InstanceNotFound:
        LOG.debug('There is no domain to adopt.', instance=instance)
        return None
    # libvirt, Nova or the document: nova-compute starts all the same.
    except Exception as err:
        LOG.warning(
            'The Hyper-V enlightenments of this guest cannot be read: %s',
            err,
            instance=instance,
        )
        return None
    if recorded is None:
        return record.Record(profile=record.ADOPTED, selection=running)
    if recorded.selection.mode is profiles.Mode.HOST_MODEL:
        # libvirt writes what it has made of the mode into the document of
        # the running guest.
        return None
    if _plain(recorded.selection) == running:
        return None
    LOG.warning(
        'This guest does not run with the Hyper-V enlightenments that were '
        'recorded: something else has started it. Those that it runs with '
        'are recorded now.',
        instance=instance,
    )
    return record.Record(profile=record.ADOPTED, selection=running)


def _plain(selection: selections.Selection) -> selections.Selection:
    """Return what a document and a record have in common."""
    mode = selection.mode
    if mode is profiles.Mode.STOCK:
        mode = profiles.Mode.CUSTOM
    return dataclasses.replace(selection, off=frozenset(), mode=mode)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """A record that is not saved yet.

    :ivar context: the instance's own.
    :ivar host: the host that it was read on.
    :ivar former: the record's text that it replaces, None for none.
    """

    context: typing.Any
    host: str
    former: str | None
    found: record.Record

    def save(self, uuid: str) -> None:
        """Save it, unless the guest has gone or has another record by now.

        :raises UnexpectedTaskStateError: something is done with the guest.
        """
        fresh = recorder.load(self.context, uuid)
        former = fresh.system_metadata.get(recorder.KEY)
        if (fresh.host, former) == (self.host, self.former):
            fresh.system_metadata[recorder.KEY] = record.encode(self.found)
            fresh.save(expected_task_state=[None])


class Adoption:
    """Adopts the guests of a host, and saves their records by and by.

    :param host: the driver's ``nova.virt.libvirt.host.Host``.
    """

    def __init__(self, host: typing.Any) -> None:
        self._host = host
        self._pending: dict[str, _Pending] = {}

    def note(self, instance: typing.Any) -> None:
        """Read a guest at the start of nova-compute.

        :param instance: a ``nova.objects.Instance``.
        """
        found = find(instance, self._host)
        if found is not None:
            self._pending[instance.uuid] = _Pending(
                context=instance._context,
                host=instance.host,
                former=instance.system_metadata.get(recorder.KEY),
                found=found,
            )

    def pending(self, instance: typing.Any) -> record.Record | None:
        """Return a guest's record that is not saved yet, None for none.

        :param instance: a ``nova.objects.Instance`` that is started.
        """
        pending = self._pending.get(instance.uuid)
        return None if pending is None else pending.found

    def forget(self, instance: typing.Any) -> None:
        """Save no record of a guest after a later start.

        :param instance: a ``nova.objects.Instance``.
        """
        self._pending.pop(instance.uuid, None)

    def save(self) -> None:
        """Save the records of some guests.

        A busy guest waits for another time.
        """
        for uuid, pending in list(self._pending.items())[:AT_A_TIME]:
            # It may have been started since.
            if self._pending.pop(uuid, None) is None:
                continue
            try:
                pending.save(uuid)
            except nova_exception.UnexpectedTaskStateError:
                self._pending[uuid] = pending
            except nova_exception.InstanceNotFound:
                continue
            # A guest without a record is better than no nova-compute. What
            # hinders one may hinder all: the others wait.
            except Exception as err:
                LOG.warning(
                    "The set of Hyper-V enlightenments of guest %s cannot be "
                    'recorded: %s',
                    uuid,
                    err,
                )
                return
