# SPDX-License-Identifier: Apache-2.0

"""Does nothing, and shows how a hook is written."""

import typing

from oslo_log import log as logging

from nova_hyperv_enlight.hooks import base

LOG = logging.getLogger(__name__)


class NoopHook(base.GuestConfigHook):
    """Changes nothing; logs at DEBUG that it was called."""

    def apply(self, config: typing.Any, context: base.Context) -> None:
        """Leave the guest's configuration as it is."""
        LOG.debug(
            'The noop hook leaves %d enlightenments of instance %s as '
            'they are',
            len(context.decision.on),
            context.instance_uuid,
        )
