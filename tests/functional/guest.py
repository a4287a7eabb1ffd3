# SPDX-License-Identifier: Apache-2.0

"""What the tests of the plugin share: servers, and guests without an API."""

import dataclasses
import os
import pathlib

import fixtures
from lxml import etree
from nova import conf
from nova import context
from nova.network import model as network_model
from nova import objects
from nova import test
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt import driver as virt_driver
from nova.virt import fake
from nova.virt.libvirt import blockinfo
import os_vif
from oslo_utils.fixture import uuidsentinel as uuids

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.host import kvm
from tests.fixtures import nova
from tests.functional import base
from tests import sets

objects.register_all()

DOCUMENTS = pathlib.Path(__file__).parents[1] / 'data' / 'domaincaps'

# What KVM_GET_SUPPORTED_HV_CPUID says in Linux 6.12 on Intel: all that the
# catalogue knows.
_LEAVES = {
    0x40000003: {
        model.Register.EAX: 0x0000AAFF,
        model.Register.EBX: 0x00100830,
        model.Register.EDX: 0x00084D12,
    },
    0x40000004: {
        model.Register.EAX: 0x00044E2C,
        model.Register.EBX: 0x00000FFF,
    },
    0x4000000A: {
        model.Register.EAX: 0x000A0101,
        model.Register.EBX: 0x00000001,
    },
}

#: A kernel that emulates Hyper-V, on hardware that can do everything.
AMD = kvm.KernelFacts(
    hyperv=True,
    time=True,
    leaves=_LEAVES,
    vendor=model.Vendor.AMD,
    nested=True,
    apic=True,
)
INTEL = dataclasses.replace(AMD, vendor=model.Vendor.INTEL)
#: A kernel that emulates none of it (CONFIG_KVM_HYPERV=n).
PLAIN = kvm.KernelFacts(hyperv=False, time=False)
#: A kernel that cannot be asked.
SILENT = kvm.KernelFacts()

BASELINE = sets.BASELINE


def document(name):
    """Return a saved capability document."""
    return (DOCUMENTS / f'{name}.xml').read_text(encoding='utf-8')


def switched_on(domain):
    """Return the enlightenments of a domain, as the package reads them."""
    return hyperv.read(domain).features


class Kernel(fixtures.Fixture):
    """Let the kernel say this, to drivers that are made from now on.

    :ivar asked: how often it was asked.
    """

    def __init__(self, facts):
        super().__init__()
        self.asked = 0
        self._facts = facts

    def _setUp(self):
        self.useFixture(
            fixtures.MonkeyPatch('nova_hyperv_enlight.host.kvm.ask', self._ask)
        )

    def _ask(self):
        self.asked += 1
        return self._facts


class PluginTestCase(base.FunctionalTestCase):
    """Servers booted through the API, by the plugin's driver."""

    COMPUTE_DRIVER = nova.PLUGIN_DRIVER

    def start_host(self, *args, kernel=AMD, **kwargs):
        """Start nova-compute on a host with this kernel.

        :returns: the kernel, as a fixture
        """
        fixture = self.useFixture(Kernel(kernel))
        super().start_host(*args, **kwargs)
        return fixture

    def start_document(self, name, **kwargs):
        """Start nova-compute on the host that a saved document speaks of."""
        _, libvirt_version, qemu_version, *_ = name.split('-')
        return self.start_host(
            document(name),
            libvirt_version=libvirt_version.removeprefix('libvirt') + '.0',
            qemu_version=qemu_version.removeprefix('qemu') + '.0',
            **kwargs,
        )

    def boot_error(self, *args, **kwargs):
        """Boot a server that fails, and return its fault's message."""
        server = self.boot(*args, expected_state='ERROR', **kwargs)
        return server['fault']['message']

    def assertSwitchedOn(self, expected, server):
        """Check what a server's document switches on, and nothing else."""
        self.assertEqual(
            sorted(expected), sorted(switched_on(self.domain_xml(server)))
        )


class GuestTestCase(test.NoDBTestCase):
    """Guests without an API: a driver makes their configuration.

    A hundred times as fast as a server; for tables of cases.
    """

    def setUp(self):
        super().setUp()
        self.flags(virt_type='kvm', group='libvirt')
        self.context = context.get_admin_context()
        # There is no database: an instance is what it was made as.
        self._instances = {}
        for name, function in (
            ('save', lambda instance, **expected: None),
            (
                'get_by_uuid',
                lambda cls, context, uuid, **kwargs: self._instances[
                    uuid
                ].obj_clone(),
            ),
        ):
            self.useFixture(
                fixtures.MonkeyPatch(f'nova.objects.Instance.{name}', function)
            )
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.objects.InstanceActionEvent.create',
                lambda event, *action: None,
            )
        )

    def start_host(
        self, answer=None, libvirt=(8, 0, 0), qemu=(6, 2, 0), kernel=AMD
    ):
        """Be on a host.

        :param answer: see ``base.DomainCapabilities``.
        """
        self.useFixture(base.DomainCapabilities(answer))
        self.useFixture(Kernel(kernel))
        self.libvirt = self.useFixture(fakelibvirt.LibvirtFixture())
        for method, version in (
            ('getLibVersion', libvirt),
            ('getVersion', qemu),
        ):
            number = version[0] * 1000000 + version[1] * 1000 + version[2]
            self.useFixture(
                fixtures.MonkeyPatch(
                    f'nova.tests.fixtures.libvirt.Connection.{method}',
                    lambda connection, number=number: number,
                )
            )

    def plugin_flags(self, **options):
        """Set options of [hyperv_enlight]; before a driver is made."""
        nova.register_plugin_options(conf.CONF)
        self.flags(group='hyperv_enlight', **options)

    def driver(self, name=nova.PLUGIN_DRIVER):
        """Load a driver as nova-compute does."""
        os_vif.initialize(True)
        return virt_driver.load_compute_driver(fake.FakeVirtAPI(), name)

    def instance(self, image_properties, extra_specs=None):
        """Return an instance as nova-api would have made it."""
        flavor = objects.Flavor(
            id=1,
            name='m1.fake',
            memory_mb=2048,
            vcpus=2,
            root_gb=10,
            ephemeral_gb=0,
            swap=0,
            flavorid='1',
            rxtx_factor=1.0,
            vcpu_weight=0,
            extra_specs=extra_specs or {},
            is_public=True,
            disabled=False,
        )
        instance = objects.Instance(
            self.context,
            id=1,
            uuid=uuids.instance,
            os_type=image_properties.get('os_type'),
            project_id='p',
            user_id='u',
            host='h',
            node='h',
            display_name='guest',
            image_ref=uuids.image,
            kernel_id='',
            ramdisk_id='',
            key_name=None,
            vm_mode=None,
            architecture=None,
            flavor=flavor,
            numa_topology=None,
            vcpu_model=None,
            ephemeral_gb=0,
            root_gb=10,
            memory_mb=2048,
            vcpus=2,
            ephemeral_key_uuid=None,
            root_device_name='/dev/vda',
            default_ephemeral_device=None,
            default_swap_device=None,
            config_drive='',
            launched_at=None,
            created_at=None,
            system_metadata={
                f'image_{key}': value
                for key, value in image_properties.items()
            },
            metadata={},
            pci_devices=objects.PciDeviceList(objects=[]),
            pci_requests=objects.InstancePCIRequests(requests=[]),
            migration_context=None,
            task_state=None,
            resources=None,
            trusted_certs=None,
            old_flavor=None,
            new_flavor=None,
            info_cache=objects.InstanceInfoCache(
                network_info=network_model.NetworkInfo()
            ),
        )
        instance.obj_reset_changes()
        self._instances[instance.uuid] = instance
        return instance

    def arguments(self, image_properties, extra_specs=None):
        """Return what Nova asks a driver with for a new guest."""
        instance = self.instance(image_properties, extra_specs)
        image_meta = objects.ImageMeta.from_dict(
            {
                'id': uuids.image,
                'min_disk': 0,
                'min_ram': 0,
                'disk_format': 'qcow2',
                'container_format': 'bare',
                'properties': dict(image_properties),
            }
        )
        disk_info = blockinfo.get_disk_info('kvm', instance, image_meta)
        return instance, network_model.NetworkInfo(), image_meta, disk_info

    def config(self, driver, image_properties, extra_specs=None):
        """Return the configuration that a driver makes of a guest."""
        return driver._get_guest_config(
            *self.arguments(image_properties, extra_specs),
            context=self.context,
        )

    def domain(self, image_properties, extra_specs=None):
        """Return the domain that our driver makes of a guest."""
        config = self.config(self.driver(), image_properties, extra_specs)
        return etree.fromstring(config.to_xml())

    def xml(self, name, image_properties, extra_specs=None):
        """Return the document that the driver of that name makes."""
        config = self.config(self.driver(name), image_properties, extra_specs)
        return nova.timeless(os.fsdecode(config.to_xml()))
