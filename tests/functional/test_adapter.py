# SPDX-License-Identifier: Apache-2.0

"""What is read from Nova's objects, and which exceptions Nova gets."""

import types

import ddt
from nova import exception as nova_exception
from nova import objects
from nova.virt.libvirt import config as vconfig
import testtools

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.virt import adapter


objects.register_all()


def make_instance(specs=None, **system_metadata):
    return types.SimpleNamespace(
        os_type='windows',
        flavor=types.SimpleNamespace(extra_specs=specs),
        system_metadata=system_metadata,
    )


def make_cpu(mode, **policies):
    cpu = vconfig.LibvirtConfigGuestCPU()
    cpu.mode = mode
    for name, policy in policies.items():
        feature = vconfig.LibvirtConfigGuestCPUFeature(name)
        feature.policy = policy
        cpu.add_feature(feature)
    return cpu


@ddt.ddt
class ReadTestCase(testtools.TestCase):
    def test_image_properties(self):
        instance = make_instance(
            image_hyperv_enlight_ipi='off',
            image_os_distro='win11',
            image_nothing=None,
            hyperv_enlight='1 baseline',
            boot_roles='member',
        )

        self.assertEqual(
            {'hyperv_enlight_ipi': 'off', 'os_distro': 'win11'},
            adapter.image_properties(instance),
        )

    @ddt.data(
        (None, False),
        (make_cpu(None), False),
        (make_cpu('custom'), False),
        (make_cpu('custom', vmx='require'), True),
        (make_cpu('custom', svm='force'), True),
        (make_cpu('custom', aes='require'), False),
        (make_cpu('host-model'), True),
        (make_cpu('host-passthrough'), True),
        (make_cpu('maximum'), True),
        (make_cpu('host-model', vmx='disable'), False),
        (make_cpu('host-passthrough', svm='forbid'), False),
        (make_cpu('host-passthrough', aes='disable'), True),
    )
    @ddt.unpack
    def test_shows_virtualization(self, cpu, expected):
        self.assertIs(expected, adapter.shows_virtualization(cpu))

    @ddt.data(
        ({}, False),
        ({'migration_type': 'resize'}, True),
        ({'migration_type': 'migration'}, False),
    )
    @ddt.unpack
    def test_is_resize(self, fields, expected):
        self.assertIs(expected, adapter.is_resize(objects.Migration(**fields)))

    def test_a_flavor_without_extra_specs(self):
        config = vconfig.LibvirtConfigGuest()

        asked = adapter.to_request(config, make_instance())

        self.assertTrue(asked.is_windows)
        self.assertEqual({}, asked.flavor.asks)

    def test_own_selection(self):
        config = vconfig.LibvirtConfigGuest()
        hyperv = vconfig.LibvirtConfigGuestFeatureHyperV()
        hyperv.relaxed = hyperv.spinlocks = True
        hyperv.spinlock_retries = 8191
        config.features = [vconfig.LibvirtConfigGuestFeatureACPI(), hyperv]

        self.assertEqual(
            decision.Selection(
                names=frozenset(('relaxed', 'spinlocks')),
                values=frozenset((('spinlocks.retries', '8191'),)),
            ),
            adapter.own_selection(config),
        )


@ddt.ddt
class TranslatedTestCase(testtools.TestCase):
    def translate(self, error):
        with adapter.translated():
            raise error

    @ddt.data(
        (exception.InvalidRequest(reason='why'), nova_exception.InvalidInput),
        (exception.HostCannotDeliver(reason='why'), adapter.HostCannotDeliver),
        (
            exception.HookError(hook='site', reason='why'),
            adapter.HostCannotDeliver,
        ),
    )
    @ddt.unpack
    def test_translated(self, error, expected):
        raised = self.assertRaises(expected, self.translate, error)

        self.assertIn(str(error), str(raised))
        self.assertIs(error, raised.__cause__)

    def test_an_error_of_nova_passes(self):
        error = nova_exception.InstanceNotFound(instance_id='x')

        self.assertIs(
            error,
            self.assertRaises(
                nova_exception.InstanceNotFound, self.translate, error
            ),
        )

    def test_a_host_that_cannot_deliver_is_no_abort(self):
        # Nova aborts a build for these: nova/compute/manager.py.
        self.assertFalse(
            issubclass(adapter.HostCannotDeliver, nova_exception.Invalid)
        )
