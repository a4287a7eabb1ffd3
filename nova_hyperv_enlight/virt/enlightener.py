# SPDX-License-Identifier: Apache-2.0

"""Brings the parts together for one nova-compute."""

import threading
import typing
import weakref

from oslo_config import cfg
from oslo_log import log as logging

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import windows
from nova_hyperv_enlight.conf import hyperv_enlight as options
from nova_hyperv_enlight.conf import reader
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.hooks import base
from nova_hyperv_enlight.hooks import manager
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.host import probe
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import event
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import recording
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from nova_hyperv_enlight.virt import adapter
from nova_hyperv_enlight.virt import adoption
from nova_hyperv_enlight.virt import events
from nova_hyperv_enlight.virt import metadata
from nova_hyperv_enlight.virt import recorder
from nova_hyperv_enlight.virt import verification

LOG = logging.getLogger(__name__)


class Enlightener:
    """Decides and writes the enlightenments of a host's guests.

    :param conf: nova.conf; the options are registered in it.
    :param host: the driver's ``nova.virt.libvirt.host.Host``.
    """

    def __init__(self, conf: cfg.ConfigOpts, host: typing.Any) -> None:
        options.register_opts(conf)
        self._conf = conf
        self._host = host
        # Asked for each time: Nova connects anew when libvirt restarts.
        self._probe = probe.Probe(lambda: host.get_connection(), kvm.ask)
        self._adoption = adoption.Adoption(host)
        # Nova hands one object on through an operation, and lets go of it
        # however that ends.
        self._renewed: weakref.WeakSet[typing.Any] = weakref.WeakSet()
        self._settings: settings.Settings | None = None
        self._hooks: manager.HookManager | None = None
        self._lock = threading.Lock()

    def load(self) -> tuple[settings.Settings, manager.HookManager]:
        """Read the options and load the hooks, once.

        :raises InvalidOption: an option cannot be used.
        :raises HookLoadError: a hook cannot be loaded.
        """
        with self._lock:
            if self._settings is None or self._hooks is None:
                read = reader.read(self._conf)
                self._hooks = manager.HookManager(read.hooks)
                self._settings = read
            return self._settings, self._hooks

    def enlighten(self, config: typing.Any, instance: typing.Any) -> None:
        """Write the enlightenments of a Windows guest into its XML.

        :param config: the LibvirtConfigGuest that Nova has made.
        :param instance: the ``nova.objects.Instance``.
        :raises NovaException: what was asked for is not delivered.
        """
        conf, hooks = self.load()
        if not conf.enabled:
            # It is started with Nova's own list: a record would lie.
            self._remove_record(instance)
            return
        if not adapter.is_windows(instance):
            # Nothing more is read: the plugin acts on Windows guests only.
            _warn_untyped(instance)
            return
        if conf.shadow:
            self._shadow(config, instance, conf)
            return
        with adapter.translated(instance):
            decided, recorded, host = self._decide(config, instance, conf)
            own = decided.selection
            if not decided.acts:
                own = adapter.own_selection(config)
            lost = resolve.lost(decided, recorded, conf)
            _log(instance, decided, lost)
            if decided.acts:
                metadata.write(config, instance)
                hooks.apply(
                    config,
                    base.Context(
                        instance_uuid=instance.uuid, decision=decided
                    ),
                )
            made = recording.made(decided, own, host, recorded)
            recorder.write(instance, made)
            events.leave(
                instance,
                self._conf.host,
                event.name_of(bool(lost)),
                event.details(decided, made),
            )
            self._adoption.forget(instance)

    def _shadow(
        self, config: typing.Any, instance: typing.Any, conf: settings.Settings
    ) -> None:
        """Log what would be decided. Nothing of it may stop a guest."""
        try:
            decided, _, _ = self._decide(config, instance, conf)
            LOG.info(
                'Hyper-V enlightenments (shadow mode, not written): %s; %s',
                decision.one_line(decided),
                decision.difference(decided, adapter.own_selection(config)),
                instance=instance,
            )
        except exception.EnlightException as err:
            LOG.warning(
                'Hyper-V enlightenments (shadow mode, not refused): %s',
                err,
                instance=instance,
            )
        # Shadow mode must not fail a build, whatever goes wrong in it.
        except Exception:
            LOG.exception(
                'Hyper-V enlightenments (shadow mode): unforeseen',
                instance=instance,
            )
        self._remove_record(instance)

    def _decide(
        self, config: typing.Any, instance: typing.Any, conf: settings.Settings
    ) -> tuple[
        decision.Decision, record.Record | None, capabilities.HostCapabilities
    ]:
        """Decide about a guest.

        :returns: the decision, the guest's record, and what the host offers.
        :raises EnlightException: what was asked for is not delivered.
        """
        asked = adapter.to_request(
            config, instance, started=self._is_started(instance)
        )
        recorded = None
        if asked.started:
            recorded = self._adoption.pending(instance)
            recorded = recorded or recorder.read(instance)
        host = self._probe.capabilities(
            config.os_arch, config.os_mach_type, config.virt_type
        )
        return resolve.resolve(conf, asked, host, recorded), recorded, host

    def forget(self, instance: typing.Any) -> None:
        """Forget what a guest has now."""
        self._adoption.forget(instance)
        recorder.forget(instance)

    def renew(self, instance: typing.Any) -> None:
        """Treat a guest as a new one, in Nova's operation on it."""
        self.forget(instance)
        self._renewed.add(instance)

    def _is_started(self, instance: typing.Any) -> bool:
        """Whether a guest was started before, and is to run as it did.

        Its record does not tell: a guest has none after a start with the
        plugin off, and one of a build that failed on another host.
        """
        return (
            instance.launched_at is not None and instance not in self._renewed
        )

    def adopt(self, instance: typing.Any) -> None:
        """Read a guest that was there before this nova-compute.

        What it runs with is recorded by :meth:`save_adopted`.
        """
        # Nova asks for one that it is starting, too; that has its record.
        if instance.task_state is None and self._keeps_record(instance):
            self._adoption.note(instance)

    def save_adopted(self) -> None:
        """Record what some of the guests run with that were adopted."""
        self._adoption.save()

    def welcome(self, instance: typing.Any) -> None:
        """Record what a guest runs with that has come here by itself."""
        if self._keeps_record(instance):
            found = adoption.find(instance, self._host)
            if found is not None:
                recorder.write(instance, found)

    def _remove_record(self, instance: typing.Any) -> None:
        self._adoption.forget(instance)
        recorder.remove(instance)

    def _keeps_record(self, instance: typing.Any) -> bool:
        conf, _ = self.load()
        return (
            conf.enabled and not conf.shadow and adapter.is_windows(instance)
        )

    def check_live_migration(
        self, instance: typing.Any, arch: str, machine: str | None
    ) -> None:
        """Refuse a guest that this host cannot take over.

        :param arch: the guest's architecture.
        :param machine: its machine type.
        :raises MigrationPreCheckError: with what is missing.
        """
        conf, _ = self.load()
        if not conf.enabled or not adapter.is_windows(instance):
            return
        recorded = recorder.read(instance)
        if recorded is None:
            return
        with adapter.translated(instance, migrates=True):
            host = self._probe.capabilities(
                arch, machine, self._conf.libvirt.virt_type
            )
            found = record.obstacles(recorded, host)
            if found:
                raise adapter.refused_migration(
                    instance,
                    self._conf.host,
                    ' '.join(found),
                    ' '.join(record.obstacles(recorded, host, True)),
                )

    def verify(self) -> None:
        """Look into guests of the host, where the operator wants that."""
        conf, _ = self.load()
        if conf.enabled and conf.verify_host:
            verification.exclude_not_shown(
                self._probe,
                self._default_capabilities(),
                self._host.get_connection,
                self._conf.state_path,
            )

    def traits(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the traits that the host has, and those it has not."""
        conf, _ = self.load()
        features = frozenset(enlightenments.ENLIGHTENMENTS)
        offered: frozenset[str] = frozenset()
        if conf.enabled and conf.report_traits:
            found = self._default_capabilities().features
            offered = frozenset(n for n in features if found[n].offered)
        return _traits(offered), _traits(features - offered)

    def _default_capabilities(self) -> capabilities.HostCapabilities:
        arch = self._host.get_capabilities().host.cpu.arch
        return self._probe.capabilities(
            arch, adapter.default_machine(arch), self._conf.libvirt.virt_type
        )


def _traits(features: frozenset[str]) -> frozenset[str]:
    return frozenset(
        enlightenments.ENLIGHTENMENTS[name].trait for name in features
    )


def _log(
    instance: typing.Any,
    decided: decision.Decision,
    lost: list[decision.Outcome],
) -> None:
    LOG.info(
        'Hyper-V enlightenments: %s',
        decision.one_line(decided),
        instance=instance,
    )
    if decided.passed_over:
        LOG.warning(
            'This guest was started before, and what is no longer allowed or '
            'not delivered is left out; a rebuild or resize of it is '
            'refused. %s',
            ' '.join(decided.passed_over),
            instance=instance,
        )
    if lost:
        LOG.warning(
            'This guest was started with more than this host can deliver '
            'now. %s',
            ' '.join(outcome.text for outcome in lost),
            instance=instance,
        )


def _warn_untyped(instance: typing.Any) -> None:
    """Say so where an image looks like Windows and does not say it is."""
    distro = adapter.image_properties(instance).get('os_distro')
    if instance.os_type is None and windows.is_windows(distro):
        LOG.warning(
            'The image has os_distro=%s and no os_type: the guest is not '
            'treated as Windows. Set the image property os_type=windows.',
            distro,
            instance=instance,
        )
