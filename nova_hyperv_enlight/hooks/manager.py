# SPDX-License-Identifier: Apache-2.0

"""Loads the configured hooks and runs them, in the operator's order."""

import importlib.metadata
import typing

from stevedore import named

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.hooks import base

#: The entry points' namespace.
NAMESPACE = 'nova_hyperv_enlight.guest_config'


class HookManager:
    """The hooks of ``[hyperv_enlight] hooks``.

    :param names: the names of the hooks, in the order they run in.
    :raises HookLoadError: a hook does not exist, or cannot be loaded.
    """

    def __init__(self, names: typing.Sequence[str]) -> None:
        self._hooks: dict[str, base.GuestConfigHook] = {}
        loaded = named.NamedExtensionManager(
            NAMESPACE,
            names=list(names),
            invoke_on_load=True,
            name_order=True,
            on_load_failure_callback=_refuse_broken,
            on_missing_entrypoints_callback=_refuse_missing,
        )
        for extension in loaded:
            if not isinstance(extension.obj, base.GuestConfigHook):
                raise exception.HookLoadError(
                    hook=extension.name,
                    reason=(
                        f'{extension.entry_point.value} is not a '
                        f'{base.GuestConfigHook.__module__}.'
                        f'{base.GuestConfigHook.__name__}'
                    ),
                )
            self._hooks[extension.name] = extension.obj

    @property
    def names(self) -> list[str]:
        """The names of the hooks, in the order they run in."""
        return list(self._hooks)

    def apply(self, config: typing.Any, context: base.Context) -> None:
        """Run every hook on one guest.

        :param config: Nova's LibvirtConfigGuest.
        :param context: the guest and what was decided for it.
        :raises HookError: a hook raised; no hook after it has run.
        """
        for name, hook in self._hooks.items():
            try:
                hook.apply(config, context)
            # A third party's hook may raise anything.
            except Exception as err:
                raise exception.HookError(hook=name, reason=err) from err


def _refuse_broken(
    manager: typing.Any,
    entry_point: importlib.metadata.EntryPoint,
    err: BaseException,
) -> None:
    raise exception.HookLoadError(hook=entry_point.name, reason=err) from err


def _refuse_missing(names: typing.Iterable[str]) -> None:
    known = ', '.join(
        sorted(
            point.name
            for point in importlib.metadata.entry_points(group=NAMESPACE)
        )
    )
    raise exception.HookLoadError(
        hook=', '.join(sorted(names)),
        reason=f'no package installs it; installed are {known or "none"}',
    )
