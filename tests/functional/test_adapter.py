# SPDX-License-Identifier: Apache-2.0

"""What is read from Nova's objects, and which exceptions Nova gets."""

import inspect
import re
import types

import ddt
import fixtures
from lxml import etree
from nova import exception as nova_exception
from nova import objects
from nova.virt.libvirt import config as vconfig
import testtools

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight import exception
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
        self.assertEqual({}, asked.flavor.features)

    def test_own_selection(self):
        config = vconfig.LibvirtConfigGuest()
        hyperv = vconfig.LibvirtConfigGuestFeatureHyperV()
        hyperv.relaxed = hyperv.spinlocks = True
        hyperv.spinlock_retries = 8191
        config.features = [vconfig.LibvirtConfigGuestFeatureACPI(), hyperv]

        self.assertEqual(
            selections.Selection(
                features=frozenset(('relaxed', 'spinlocks')),
                values=frozenset((('spinlocks.retries', '8191'),)),
            ),
            adapter.own_selection(config),
        )


#: The fields of our exceptions that a tenant may read, of all that are. A new
#: exception, or a new field of one, is not told before it stands here.
TOLD = {
    exception.InvalidRequest: {'reason'},
    exception.HostCannotDeliver: {'reason'},
    exception.HookError: {'hook'},
}
OURS = [
    found
    for _, found in inspect.getmembers(exception, inspect.isclass)
    if issubclass(found, exception.EnlightException)
]
# What no class of ours foresees, as libvirt, lxml or a mistake raise it.
FOREIGN = {
    **dict.fromkeys((KeyError, OSError, RuntimeError, ValueError), ()),
    etree.XMLSyntaxError: (1, 2, 3),
}


def make_error(found):
    """Return an exception with each of its fields filled.

    :returns: that, and the fields' texts by their names.
    """
    names = set(re.findall(r'%\((\w+)\)s', found.msg_fmt)) - {'end'}
    texts = {name: f'secret-{name}' for name in names}
    return found(**texts), texts


@ddt.ddt
class TranslatedTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())

    def translate(self, error, **kwargs):
        with adapter.translated(make_instance(), **kwargs):
            raise error

    @ddt.data(*OURS)
    def test_ours(self, found):
        error, texts = make_error(found)
        invalid = issubclass(found, exception.InvalidRequest)

        raised = self.assertRaises(
            nova_exception.InvalidInput
            if invalid
            else adapter.HostCannotDeliver,
            self.translate,
            error,
        )

        self.assertIs(error, raised.__cause__)
        for name, text in texts.items():
            told = name in TOLD.get(found, ())
            self.assertEqual(told, text in str(raised), name)
            self.assertEqual(told, text in raised.format_message(), name)
            # It is not lost.
            if not told:
                self.assertIn(text, self.log.output)

    @ddt.data(*FOREIGN)
    def test_what_nobody_foresaw(self, found):
        error = found('secret', *FOREIGN[found])

        raised = self.assertRaises(
            adapter.HostCannotDeliver, self.translate, error
        )

        self.assertNotIn('secret', raised.format_message())
        self.assertIn('the log of nova-compute', raised.format_message())
        # With the way to it.
        self.assertIn('Traceback', self.log.output)
        self.assertIn('secret', self.log.output)

    def test_before_a_live_migration(self):
        # For this one alone Nova tries another destination.
        raised = self.assertRaises(
            nova_exception.MigrationPreCheckError,
            self.translate,
            OSError('secret'),
            migrates=True,
        )

        self.assertNotIn('secret', raised.format_message())

    def test_a_refused_migration(self):
        instance = make_instance()
        instance.host = 'secret-source'

        error = adapter.refused_migration(
            instance, 'secret-destination', 'A secret.', 'It lacks ipi.'
        )

        self.assertIsInstance(error, nova_exception.MigrationPreCheckError)
        self.assertNotIn('secret', error.format_message())
        self.assertIn('It lacks ipi.', error.format_message())
        self.assertIn(
            'from secret-source to secret-destination. A secret.',
            self.log.output,
        )

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
