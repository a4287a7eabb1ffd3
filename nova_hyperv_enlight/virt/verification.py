# SPDX-License-Identifier: Apache-2.0

"""Lets guests say what they are shown, where the operator wants to know.

What starts those guests is handed in as an entry point: this room does not
start any guest but Nova's.
"""

import collections.abc
import importlib.metadata
import typing

from oslo_log import log as logging

from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import probe

LOG = logging.getLogger(__name__)

_NAMESPACE, _NAME = 'nova_hyperv_enlight.witnesses', 'guest'


def exclude_not_shown(
    source: probe.Probe,
    host: capabilities.HostCapabilities,
    connect: collections.abc.Callable[[], typing.Any],
    state_path: str,
) -> None:
    """Count what guests are not shown as not offered from now on.

    Whatever goes wrong is logged: it is no reason not to start.

    :param source: who is asked about the host.
    :param host: what it says so far of the usual kind of guest.
    :param connect: returns an open connection to the host's libvirt.
    :param state_path: where the answer is kept.
    """
    if not any(capability.offered for capability in host.features.values()):
        return  # Nothing is left that a guest could rule out.
    try:
        (point,) = importlib.metadata.entry_points(
            group=_NAMESPACE, name=_NAME
        )
        ask = point.load()
        not_shown = ask(connect(), host.sources, state_path)
    except Exception as err:
        LOG.warning(
            'Hyper-V enlightenments: verify_host is true, but no guest says '
            'what it is shown: %s',
            err,
        )
        return
    source.exclude(not_shown)
    lost = [
        name
        for name in host.features
        if name in not_shown and host.features[name].offered
    ]
    if lost:
        LOG.warning(
            'Hyper-V enlightenments: this host offers %s, and its guests are '
            'not shown it: it is left out.',
            ', '.join(lost),
        )
