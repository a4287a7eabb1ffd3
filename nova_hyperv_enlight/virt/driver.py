# SPDX-License-Identifier: Apache-2.0

"""The compute driver: ``compute_driver = hyperv_enlight.LibvirtDriver``."""

import typing

import nova.conf
from nova.virt.libvirt import driver

from nova_hyperv_enlight.virt import adapter
from nova_hyperv_enlight.virt import enlightener
from nova_hyperv_enlight.virt import recorder
from nova_hyperv_enlight.virt import releases

CONF = nova.conf.CONF


class LibvirtDriver(driver.LibvirtDriver):
    """Nova's libvirt driver, with enlightenments that the host can deliver.

    Overrides as little as it can and hands everything on to Nova's driver
    untouched, so that one class serves every supported release.
    """

    def __init__(self, *args: typing.Any, **kwargs: typing.Any) -> None:
        super().__init__(*args, **kwargs)
        self._enlightener = enlightener.Enlightener(CONF, self._host)

    @releases.as_in_nova
    def init_host(self, *args: typing.Any, **kwargs: typing.Any) -> None:
        """Start up; options and hooks that cannot be used stop here."""
        self._enlightener.load()
        super().init_host(*args, **kwargs)
        self._enlightener.verify()

    @releases.as_in_nova
    def _get_guest_config(
        self, instance: typing.Any, *args: typing.Any, **kwargs: typing.Any
    ) -> typing.Any:
        """Return the guest's configuration, enlightened."""
        config = super()._get_guest_config(instance, *args, **kwargs)
        self._enlightener.enlighten(config, instance)
        return config

    @releases.as_in_nova
    def _register_undefined_instance_details(
        self, context: typing.Any, instance: typing.Any
    ) -> None:
        """Adopt a guest too, which Nova asks for when it starts."""
        super()._register_undefined_instance_details(context, instance)
        self._enlightener.adopt(instance)

    @releases.as_in_nova
    def get_available_resource(
        self, *args: typing.Any, **kwargs: typing.Any
    ) -> typing.Any:
        """Report the host's resources, which Nova asks for every minute.

        So often some of the guests that were adopted are recorded: Nova holds
        no lock here that others wait for.
        """
        found = super().get_available_resource(*args, **kwargs)
        self._enlightener.save_adopted()
        return found

    @releases.as_in_nova
    def spawn(
        self,
        context: typing.Any,
        instance: typing.Any,
        *args: typing.Any,
        **kwargs: typing.Any,
    ) -> typing.Any:
        """Start a guest; a resize that comes from another cell decides anew.

        Within a cell :meth:`finish_migration` does the work.
        """
        if adapter.is_resized(instance):
            self._enlightener.renew(instance)
        return super().spawn(context, instance, *args, **kwargs)

    @releases.as_in_nova
    def rebuild(self, *args: typing.Any, **kwargs: typing.Any) -> typing.Any:
        """Rebuild decides anew; an evacuation, which comes here too, not."""
        if not kwargs.get('evacuate'):
            self._enlightener.renew(kwargs['instance'])
        return super().rebuild(*args, **kwargs)

    @releases.as_in_nova
    def finish_migration(
        self,
        context: typing.Any,
        migration: typing.Any,
        instance: typing.Any,
        *args: typing.Any,
        **kwargs: typing.Any,
    ) -> typing.Any:
        """Start a guest that has come here; a resize decides anew."""
        recorder.stash(instance, migration)
        if adapter.is_resize(migration):
            self._enlightener.renew(instance)
        return super().finish_migration(
            context, migration, instance, *args, **kwargs
        )

    @releases.as_in_nova
    def finish_revert_migration(
        self,
        context: typing.Any,
        instance: typing.Any,
        network_info: typing.Any,
        migration: typing.Any,
        *args: typing.Any,
        **kwargs: typing.Any,
    ) -> typing.Any:
        """Start a guest that has come back, with what it left with."""
        restored = recorder.restore(instance, migration)
        if not restored and adapter.is_resize_here(migration):
            self._enlightener.forget(instance)
        return super().finish_revert_migration(
            context, instance, network_info, migration, *args, **kwargs
        )

    @releases.as_in_nova
    def confirm_migration(
        self,
        context: typing.Any,
        migration: typing.Any,
        instance: typing.Any,
        *args: typing.Any,
        **kwargs: typing.Any,
    ) -> typing.Any:
        """Let go of what only a revert would have needed."""
        recorder.confirm(instance)
        return super().confirm_migration(
            context, migration, instance, *args, **kwargs
        )

    @releases.as_in_nova
    def check_can_live_migrate_destination(
        self,
        context: typing.Any,
        instance: typing.Any,
        *args: typing.Any,
        **kwargs: typing.Any,
    ) -> typing.Any:
        """Refuse before anything moves.

        Nova's own check leaves a file behind that nobody would remove if
        this one came after it.
        """
        self._enlightener.check_live_migration(
            instance, *adapter.machine_of(instance)
        )
        return super().check_can_live_migrate_destination(
            context, instance, *args, **kwargs
        )

    @releases.as_in_nova
    def post_live_migration_at_destination(
        self,
        context: typing.Any,
        instance: typing.Any,
        *args: typing.Any,
        **kwargs: typing.Any,
    ) -> typing.Any:
        """Adopt a guest that has come from a host without this plugin."""
        result = super().post_live_migration_at_destination(
            context, instance, *args, **kwargs
        )
        self._enlightener.welcome(instance)
        return result

    @releases.as_in_nova
    def update_provider_tree(
        self,
        provider_tree: typing.Any,
        nodename: str,
        *args: typing.Any,
        **kwargs: typing.Any,
    ) -> None:
        """Report what the host offers as traits, beside Nova's own."""
        super().update_provider_tree(provider_tree, nodename, *args, **kwargs)
        has, has_not = self._enlightener.traits()
        provider_tree.add_traits(nodename, *has)
        provider_tree.remove_traits(nodename, *has_not)
