# SPDX-License-Identifier: Apache-2.0

"""Leaves a guest's decision in Nova's API, as an event of its action.

``openstack server event show`` prints it with compute API 2.84 or newer. The
details are for administrators: the policy
``os_compute_api:os-instance-actions:events:details``.
"""

import typing

from nova import exception as nova_exception
from nova import objects
from oslo_log import log as logging
from oslo_utils import timeutils

LOG = logging.getLogger(__name__)

_RESULT = 'Success'


def leave(instance: typing.Any, host: str, name: str, details: str) -> None:
    """Leave an event with the action that starts a guest.

    A failure is logged: the guest is started all the same.

    :param instance: a ``nova.objects.Instance``, whose context is that of the
        action.
    :param host: the name of this nova-compute's host.
    :param name: the event's name.
    :param details: what it says.
    """
    context = instance._context
    now = timeutils.utcnow()
    try:
        objects.InstanceActionEvent(
            context,
            event=name,
            start_time=now,
            finish_time=now,
            result=_RESULT,
            host=host,
            details=details,
        ).create(instance.uuid, context.request_id)
    except nova_exception.InstanceActionNotFound:
        LOG.debug('There is no action to leave an event with.')
    # Nova's conductor may fail in any way, and the guest must start all the
    # same: it is better without an event than not started.
    except Exception as err:
        LOG.warning(
            "The decision about this guest's Hyper-V enlightenments cannot "
            "be left in Nova's API: %s",
            err,
            instance=instance,
        )
