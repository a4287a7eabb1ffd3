# SPDX-License-Identifier: Apache-2.0

"""Whole lives of guests, on one or more fake hosts."""

import collections
import sys

import fixtures
from lxml import etree
from nova import context
from nova import objects
from nova.tests import fixtures as nova_fixtures
from nova.tests.fixtures import libvirt as fakelibvirt

from nova_hyperv_enlight.virt import adoption
from nova_hyperv_enlight.virt import recorder
from tests.functional import base
from tests.functional import guest
from tests import sets

WINDOWS = {'os_type': 'windows'}
MINIMAL = sets.MINIMAL
#: All that libvirt lists, of a host that has everything.
RICH = sets.LIBVIRT
#: What an older host lists.
POOR = ('relaxed', 'vapic', 'spinlocks', 'vpindex')
#: What Nova itself gives to Windows.
STOCK = sets.STOCK

_DOMAIN = 'nova.tests.fixtures.libvirt.Domain'


class LiveXML(fixtures.Fixture):
    """Let the fake libvirt's guests remember ``<features>`` and ``<clock>``.

    :ivar broken: what reading a guest's document raises, by its UUID.
    :ivar edits: functions of a guest's domain that change what is read, by
        its UUID.
    """

    def __init__(self):
        super().__init__()
        self.broken = {}
        self.edits = {}

    def _setUp(self):
        parse = fakelibvirt.Domain._parse_definition
        describe = fakelibvirt.Domain.XMLDesc

        def remember(domain, xml):
            domain._remembered = etree.fromstring(xml)
            return parse(domain, xml)

        def recall(domain, flags):
            if domain.UUIDString() in self.broken:
                raise self.broken[domain.UUIDString()]
            found = etree.fromstring(describe(domain, flags))
            for tag in ('features', 'clock'):
                mine = domain._remembered.find(tag)
                if mine is not None:
                    found.replace(
                        found.find(tag), etree.fromstring(etree.tostring(mine))
                    )
            edit = self.edits.get(domain.UUIDString(), lambda domain: None)
            edit(found)
            return etree.tostring(found, encoding='unicode')

        for name, function in (
            ('_parse_definition', remember),
            ('XMLDesc', recall),
        ):
            self.useFixture(
                fixtures.MonkeyPatch(f'{_DOMAIN}.{name}', function)
            )


class Saves(fixtures.Fixture):
    """Count the times that the plugin saves an instance.

    :ivar count: the number of times, by the instance's UUID.
    """

    _SAVERS = (recorder.__name__, adoption.__name__)

    def __init__(self):
        super().__init__()
        self.count = collections.Counter()

    def _setUp(self):
        save = objects.Instance.save

        def counting(instance, *args, **kwargs):
            frame = sys._getframe(1)
            while frame.f_globals['__name__'].startswith('fixtures.'):
                frame = frame.f_back
            if frame.f_globals['__name__'] in self._SAVERS:
                self.count[instance.uuid] += 1
            return save(instance, *args, **kwargs)

        self.useFixture(
            fixtures.MonkeyPatch('nova.objects.Instance.save', counting)
        )


class LifeTestCase(guest.PluginTestCase):
    """Servers that live on hosts, which need not be equal.

    New servers land on the first of ``HOSTS`` that is started.

    :cvar HOSTS: the names of hosts, the one that is liked best first
    """

    HOSTS = ('one', 'two', 'three')

    def setUp(self):
        weights = {
            name: 1000.0 / place for place, name in enumerate(self.HOSTS, 1)
        }
        self.useFixture(nova_fixtures.HostNameWeigherFixture(weights=weights))
        super().setUp()
        self._live = self.useFixture(LiveXML())
        self._saves = self.useFixture(Saves())
        self._hosts = {}
        self.useFixture(
            fixtures.MockPatch(
                'nova.virt.libvirt.driver.LibvirtDriver.'
                'migrate_disk_and_power_off',
                return_value='{}',
            )
        )

    def start(
        self,
        hostname='one',
        names=RICH,
        kernel=guest.INTEL,
        libvirt_version='12.4.0',
    ):
        """Start nova-compute on a host that offers these names.

        A new libvirt and a new QEMU, so that what libvirt does not list is
        not there.

        :param libvirt_version: for a host whose libvirt is older
        """
        self._hosts[hostname] = (names, kernel)
        self.start_host(
            base.hyperv_document(*names),
            libvirt_version=libvirt_version,
            qemu_version='10.1.0',
            hostname=hostname,
            kernel=kernel,
        )

    def restart(self, hostname='one', driver=None, **options):
        """Restart nova-compute, with its guests running.

        :param driver: another compute driver from now on.
        :param options: of [hyperv_enlight], other ones from now on.
        """
        names, kernel = self._hosts[hostname]
        self.plugin_flags(**options)
        if driver is not None:
            self.COMPUTE_DRIVER = driver
        with (
            base.DomainCapabilities(base.hyperv_document(*names)),
            guest.Kernel(kernel),
            self.starting(),
        ):
            self.restart_compute_service(hostname)

    def replace(self, hostname='one', **kwargs):
        """Make a host another one, such as by a new kernel; see start()."""
        names, kernel = self._hosts[hostname]
        self._hosts[hostname] = (
            kwargs.get('names', names),
            kwargs.get('kernel', kernel),
        )
        self.restart(hostname)

    def instance(self, server):
        """Return a server's instance, from the database."""
        return objects.Instance.get_by_uuid(
            context.get_admin_context(),
            server['id'],
            expected_attrs=['system_metadata', 'flavor'],
        )

    def record(self, server):
        """Return a server's record as it is in the database, None if not."""
        return self.instance(server).system_metadata.get(recorder.KEY)

    def stashed(self, server):
        """Return what a revert would bring back, None if nothing."""
        return self.instance(server).system_metadata.get(f'old_{recorder.KEY}')

    def set_record(self, server, text):
        """Put a record, None for none, into the database."""
        instance = self.instance(server)
        instance.system_metadata.pop(recorder.KEY, None)
        if text is not None:
            instance.system_metadata[recorder.KEY] = text
        instance.save()

    def host_of(self, server):
        """Return the name of the host that a server is on."""
        return self.instance(server).host

    def enlightened(self, server):
        """Return what the plugin owns of a server's document, as text."""
        return owned(self.defined_xml(server))

    def connection(self, hostname='one'):
        """Return the fake libvirt of a host."""
        return self.computes[hostname].driver._host.get_connection()

    def warnings(self, server=None):
        """Return the plugin's warnings, about one server or all."""
        records = self._plugin_log.records
        if server is not None:
            records = self._plugin_log.about(server)
        return [r.getMessage() for r in records if r.levelname == 'WARNING']

    def migrate(self, server, expected_state):
        self.api.post_server_action(server['id'], {'migrate': None})
        return self._wait_for_state_change(server, expected_state)

    def rescue(self, server):
        self.api.post_server_action(server['id'], {'rescue': None})
        return self._wait_for_state_change(server, 'RESCUE')

    def unrescue(self, server):
        self.api.post_server_action(server['id'], {'unrescue': None})
        return self._wait_for_state_change(server, 'ACTIVE')

    def hard_reboot(self, server):
        self.api.post_server_action(server['id'], {'reboot': {'type': 'HARD'}})
        return self._wait_for_state_change(server, 'ACTIVE')


def owned(xml):
    """Return what the plugin owns of a document, as text."""
    domain = etree.fromstring(xml, etree.XMLParser(remove_blank_text=True))
    return ''.join(
        etree.tostring(element, encoding='unicode')
        for path in ('features/hyperv', 'clock')
        for element in domain.iterfind(path)
    )
