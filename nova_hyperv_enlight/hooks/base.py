# SPDX-License-Identifier: Apache-2.0

"""The interface of a guest config hook."""

import abc
import dataclasses
import typing

from nova_hyperv_enlight.policy import decision


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a hook is told about a guest.

    :ivar instance_uuid: Nova's UUID of the server.
    :ivar decision: what was decided for it.
    """

    instance_uuid: str
    decision: decision.Decision


class GuestConfigHook(abc.ABC):
    """One step in the making of a Windows guest's configuration.

    A hook is an entry point in the namespace
    ``nova_hyperv_enlight.guest_config``. nova-compute makes one object of it
    when it starts and calls that for each Windows guest, from any of its
    threads: keep no state between guests.
    """

    @abc.abstractmethod
    def apply(self, config: typing.Any, context: Context) -> None:
        """Change the configuration of one guest.

        Called only where the plugin acts: not for guests that are left to
        Nova, and not in shadow mode. What it raises fails the build of this
        guest: the server's fault names the hook, and the log of
        nova-compute has the exception. Its text is not told to the tenant.

        :param config: the ``nova.virt.libvirt.config.LibvirtConfigGuest``
            as the hooks before have left it.
        :param context: the guest and what was decided for it.
        """
