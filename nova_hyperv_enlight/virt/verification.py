# SPDX-License-Identifier: Apache-2.0

"""Excludes what guests are not shown, where the operator wants to know."""

import collections.abc
import typing

from oslo_log import log as logging

from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import probe

LOG = logging.getLogger(__name__)


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
        # Nothing else in nova-compute starts guests of its own.
        from nova_hyperv_enlight.guest import exclusion

        not_shown = exclusion.not_shown(connect(), host.sources, state_path)
    # libvirt, QEMU or a file: nova-compute starts all the same.
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
