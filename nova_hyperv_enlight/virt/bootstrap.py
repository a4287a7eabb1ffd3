# SPDX-License-Identifier: Apache-2.0

"""Makes the driver importable below ``nova.virt``.

Nova loads ``[DEFAULT] compute_driver`` from below ``nova.virt`` only, and a
file laid into Nova's own tree would break editable and split installations.
So this package has an entry point in a namespace that nova-compute loads
before it loads the driver: os_vif's (``os_vif.initialize()`` in
nova/cmd/compute.py). Nothing is activated by it; ``compute_driver`` does
that. A mistake here would stop nova-compute on hosts that do not even use
the driver: this module does nothing else and imports neither Nova nor
libvirt.
"""

import collections.abc
import importlib
import importlib.abc
import importlib.machinery
import sys
import types
import typing

from os_vif.objects import host_info
from os_vif import plugin

#: The name that Nova asks for, without ``nova.virt``'s prefix.
ALIAS = 'nova.virt.hyperv_enlight'
#: The module that it gets.
DRIVER = 'nova_hyperv_enlight.virt.driver'


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds :data:`ALIAS` and hands out :data:`DRIVER` for it.

    One module under two names: a second copy of it would be a second class
    of the same driver.
    """

    def find_spec(
        self,
        fullname: str,
        path: collections.abc.Sequence[str] | None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != ALIAS:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(
        self, spec: importlib.machinery.ModuleSpec
    ) -> types.ModuleType:
        # A stand-in: importlib writes the spec of the alias into it, and
        # the driver module keeps its own.
        return types.ModuleType(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        # importlib returns what stands here once the module is executed.
        sys.modules[ALIAS] = importlib.import_module(DRIVER)


class Bootstrap(plugin.PluginBase):
    """Makes nova.virt.hyperv_enlight importable; plugs no VIFs."""

    @classmethod
    def load(cls, plugin_name: str) -> 'Bootstrap':
        """Make the driver importable.

        :param plugin_name: the name of the entry point.
        :returns: a plugin that supports no kind of VIF.
        """
        if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
            sys.meta_path.append(_Finder())
        return cls(typing.cast(typing.Any, None))

    def describe(self) -> host_info.HostPluginInfo:
        """Describe a plugin that supports no VIFs."""
        return host_info.HostPluginInfo(
            plugin_name='hyperv_enlight', vif_info=[]
        )

    def plug(self, vif: typing.Any, instance_info: typing.Any) -> None:
        """Refuse: this is not a VIF plugin.

        :raises NotImplementedError: always.
        """
        raise NotImplementedError('hyperv_enlight plugs no VIFs')

    def unplug(self, vif: typing.Any, instance_info: typing.Any) -> None:
        """Refuse: this is not a VIF plugin.

        :raises NotImplementedError: always.
        """
        raise NotImplementedError('hyperv_enlight unplugs no VIFs')
