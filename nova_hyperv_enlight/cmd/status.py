# SPDX-License-Identifier: Apache-2.0

"""The program ``nova-hyperv-enlight-status``."""

import importlib.metadata
import sys
import typing

from oslo_config import cfg
from oslo_upgradecheck import upgradecheck

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.cmd import hosts
from nova_hyperv_enlight.conf import hyperv_enlight
from nova_hyperv_enlight.conf import reader
from nova_hyperv_enlight.conf import unknown
from nova_hyperv_enlight.domains import audit
from nova_hyperv_enlight.domains import findings
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.hooks import manager
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.host import parsing
from nova_hyperv_enlight.host import probe
from nova_hyperv_enlight.policy import record

_DRIVER = 'hyperv_enlight.LibvirtDriver'
# The releases that this package is tested with.
_NOVA_RELEASES = range(29, 35)
#: What Nova copies from system_metadata into snapshots unless told not to.
_RECORD_PROPERTY = 'hyperv_enlight'
_NAMED_GUESTS = 10


def _success(details: str | None = None) -> upgradecheck.Result:
    return upgradecheck.Result(upgradecheck.Code.SUCCESS, details)


def _warning(details: str) -> upgradecheck.Result:
    return upgradecheck.Result(upgradecheck.Code.WARNING, details)


def _failure(details: str) -> upgradecheck.Result:
    return upgradecheck.Result(upgradecheck.Code.FAILURE, details)


class Checks(upgradecheck.UpgradeCommands):
    """Checks of a compute host.

    :param conf: nova.conf as Nova registers it.
    """

    def __init__(self, conf: typing.Any) -> None:
        super().__init__()
        self._conf = conf

    def _check_driver(self) -> upgradecheck.Result:
        """Say whether nova-compute loads this package's driver.

        Without it the package does nothing: set ``compute_driver``.
        """
        if self._conf.compute_driver == _DRIVER:
            return _success()
        return _warning(
            f'[DEFAULT] compute_driver is {self._conf.compute_driver}: this '
            f'package does nothing. Set it to {_DRIVER} to use it.'
        )

    def _check_options(self) -> upgradecheck.Result:
        """Say whether the options can be used, and all of them are.

        nova-compute does not start with one that cannot be used, and
        ignores one that there is not: change what is named.
        """
        try:
            conf = reader.read(self._conf)
        except exception.InvalidOption as err:
            return _failure(str(err))
        found = unknown.find(self._conf)
        if not conf.enabled:
            found.append(
                '[hyperv_enlight] enabled is false: guests are as Nova makes '
                'them'
            )
        return _warning(f'{"; ".join(found)}.') if found else _success()

    def _check_hooks(self) -> upgradecheck.Result:
        """Say whether the configured hooks load.

        nova-compute does not start otherwise: install or remove the hook.
        """
        try:
            manager.HookManager(self._conf.hyperv_enlight.hooks)
        except exception.HookLoadError as err:
            return _failure(str(err))
        return _success()

    def _check_nova(self) -> upgradecheck.Result:
        """Say whether this release of Nova is one that is tested."""
        found = importlib.metadata.version('nova')
        if int(found.partition('.')[0]) in _NOVA_RELEASES:
            return _success()
        return _warning(
            f'Nova {found} is not one of the releases that this package is '
            f'tested with: {_NOVA_RELEASES[0]} to {_NOVA_RELEASES[-1]}.'
        )

    def _check_snapshots(self) -> upgradecheck.Result:
        """Say whether snapshots carry the record of their guest.

        It does no harm there, and the option is read by nova-api, whose
        file need not be here: this tells, and does not warn.
        """
        if _RECORD_PROPERTY in self._conf.non_inheritable_image_properties:
            return _success()
        return _success(
            'Snapshots of Windows guests get an image property '
            f'{_RECORD_PROPERTY}, which is not used. To avoid it, add that '
            'name to [DEFAULT] non_inheritable_image_properties of nova-api, '
            'beside those that are there.'
        )

    def _check_libvirt(self) -> upgradecheck.Result:
        """Say whether libvirt lists what the host offers.

        Before 9.0 its release alone decides, and the kernel if it can be
        asked.
        """
        try:
            connection, _ = self._connect(read_only=True)
        except exception.CannotConnect as err:
            return _failure(str(err))
        try:
            found = probe.split_version(connection.getLibVersion())
        finally:
            connection.close()
        if found >= domaincaps.FIRST_LIBVIRT:
            return _success()
        return _warning(
            f'libvirt {model.version_text(found)} does not list Hyper-V '
            'features: what the host offers is concluded from its release. '
            'From 9.0.0 on it does.'
        )

    def _check_kvm(self) -> upgradecheck.Result:
        """Say whether this host's KVM emulates Hyper-V.

        Without that guests get no enlightenment: see the kernel's
        configuration, and ``virt_type``.
        """
        virt_type = self._conf.libvirt.virt_type
        if virt_type != 'kvm':
            return _warning(
                f'[libvirt] virt_type is {virt_type}: only guests of KVM get '
                'enlightenments.'
            )
        try:
            connection, local = self._connect(read_only=True)
        except exception.CannotConnect as err:
            return _failure(str(err))
        connection.close()
        if not local:
            return _success('Not asked: libvirt is on another machine.')
        facts = kvm.ask()
        if facts.hyperv:
            return _success()
        if facts.hyperv is None:
            return _warning(f'Not known: {"; ".join(facts.unasked)}.')
        return _warning(
            "This kernel's KVM does not emulate Hyper-V, and guests get no "
            'enlightenment. From Linux 6.8 on CONFIG_KVM_HYPERV decides.'
        )

    def _connect(self, read_only: bool = False) -> tuple[typing.Any, bool]:
        uri = self._conf.libvirt.connection_uri or 'qemu:///system'
        return hosts.connect(uri, read_only)

    def _check_policy(self) -> upgradecheck.Result:
        """Name the guests whose flavor or image is refused by the options.

        They start again without what is refused; a rebuild or a resize of
        them is refused. Only what Nova's metadata tell is known:
        flavor and image are in them from Nova 32 on.
        """
        try:
            conf = reader.read(self._conf)
        except exception.InvalidOption:
            return _warning('Not checked: the options cannot be used.')
        try:
            connection, local = self._connect()
        except exception.CannotConnect as err:
            return _failure(str(err))
        try:
            auditor = audit.Auditor(conf, hosts.asked_host(connection, local))
            refused = [
                f'{found.domain} ({found.text})'
                for domain in connection.listAllDomains()
                for found in auditor.audit(domain).found
                if found.kind is findings.REFUSED
            ]
        finally:
            connection.close()
        if not refused:
            return _success()
        return _warning(
            f'{len(refused)} guests would be refused if they were new, '
            'rebuilt or resized; they start again all the same: '
            f'{"; ".join(refused[:_NAMED_GUESTS])}'
        )

    def _check_guests(self) -> upgradecheck.Result:
        """Name the guests whose set this host does not deliver any more.

        They run on until they are started again: see ``on_host_change``.
        """
        try:
            connection, local = self._connect()
        except exception.CannotConnect as err:
            return _failure(str(err))
        try:
            source = probe.Probe(
                lambda: connection, kvm.ask if local else kvm.KernelFacts
            )
            lacking, unread = _lacking(connection, source)
        finally:
            connection.close()
        sentences = [
            f'{len(guests)} guests {what}: '
            f'{"; ".join(guests[:_NAMED_GUESTS])}.'
            for guests, what in (
                (lacking, 'have what this host does not offer'),
                (unread, 'cannot be read'),
            )
            if guests
        ]
        return _warning(' '.join(sentences)) if sentences else _success()

    _upgrade_checks = (
        # Added in 1.0.0
        ('Compute driver', _check_driver),
        ('Options', _check_options),
        ('Hooks', _check_hooks),
        ('Nova', _check_nova),
        ('libvirt', _check_libvirt),
        ('KVM', _check_kvm),
        ('Snapshots', _check_snapshots),
        ('Guests', _check_guests),
        ('Policy', _check_policy),
    )


def _lacking(
    connection: typing.Any, source: probe.Probe
) -> tuple[list[str], list[str]]:
    """Return the guests whose set is not there, and those without answer."""
    lacking, unread = [], []
    for domain in connection.listAllDomains():
        try:
            root = parsing.parse(domain.XMLDesc(), 'domain', domain.name())
            selection = hyperv.read(root)
        # libvirt.libvirtError is not named here: the program also runs
        # without libvirt-python. The guest may have gone.
        except Exception as err:
            unread.append(f'{domain.name()} ({err})')
            continue
        kind = root.find('./os/type')
        if not selection.features or kind is None:
            continue
        host = source.capabilities(
            kind.get('arch', ''), kind.get('machine'), root.get('type', '')
        )
        guest = record.Record(profile=record.ADOPTED, selection=selection)
        found = record.missing(guest, host)
        if found:
            lacking.append(f'{domain.name()} ({", ".join(found)})')
    return lacking, unread


def main(argv: list[str] | None = None) -> int:
    """Run the program.

    :param argv: the arguments, without the program's name.
    :returns: 0 success, 1 a warning, 2 a failure, 255 an error.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        # Imported here: the other programs run without Nova.
        import nova.conf

        conf = nova.conf.CONF
    except ImportError:
        if not {'-h', '--help'} & set(argv):
            print('Nova is not installed here.', file=sys.stderr)
            return int(upgradecheck.Code.FAILURE)
        # To be told how it is used needs none.
        conf = cfg.ConfigOpts()
    hyperv_enlight.register_opts(conf)
    return upgradecheck.main(conf, 'nova', Checks(conf), argv=argv)
