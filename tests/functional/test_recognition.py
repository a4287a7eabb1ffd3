# SPDX-License-Identifier: Apache-2.0

"""What is told of guests from the metadata that Nova itself writes."""

import ddt
from lxml import etree

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.domains import recognition
from nova_hyperv_enlight.domains import rules
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight.host import assumed
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.policy import settings
from tests.fixtures import nova
from tests.fixtures import releases
from tests.functional import base
from tests.functional import guest
from tests import sets

STOCK = sets.STOCK
#: A host that has everything.
HOST = assumed.offering(
    evaluation.evaluate(capabilities.Sources(virt_type='kvm', arch='x86_64')),
    frozenset(enlightenments.ENLIGHTENMENTS),
    'it is said so',
)


@ddt.ddt
class RecognitionTestCase(base.FunctionalTestCase):
    def setUp(self):
        super().setUp()
        self.start_host()

    def read(self, *arguments):
        """Boot a server on stock Nova, and return what is read of it."""
        return domain.parse(self.defined_xml(self.boot(*arguments)))

    def codes(self, found):
        """Return what an audit finds in it, as codes and names."""
        return [
            (each.kind.code, each.name)
            for each in rules.inspect(found, settings.Settings(), HOST).found
        ]

    def test_windows(self):
        found = self.read({'os_type': 'windows', 'os_distro': 'win2k22'})

        self.assertTrue(recognition.is_windows(found))
        self.assertEqual(('kvm', 'x86_64'), (found.virt_type, found.arch))
        self.assertEqual(STOCK, found.hyperv.features)
        self.assertEqual('localtime', found.clock_offset)
        self.assertIs(False, found.hpet)
        self.assertIsNotNone(found.nova.release)
        if releases.WRITES_PROPERTIES:
            self.assertEqual('windows', found.os_type)
            self.assertEqual('win2k22', recognition.release(found).distro)

    def test_what_stock_nova_leaves_out(self):
        found = self.read({'os_type': 'windows'})

        self.assertEqual(
            [('missing', 'stimer'), ('missing', 'stimer.direct')],
            self.codes(found),
        )

    def test_what_the_flavor_says(self):
        if not releases.WRITES_PROPERTIES:
            self.skipTest('this Nova writes nothing of the extra specs')
        found = self.read(
            {'os_type': 'windows'}, {'hyperv_enlight:stimer': 'off'}
        )

        self.assertEqual([], self.codes(found))

    def test_the_hpet_that_an_image_asks_for(self):
        found = self.read({'os_type': 'windows', 'hw_time_hpet': 'true'})

        self.assertIn(('hpet', 'hpet'), self.codes(found))

    @ddt.data({}, {'os_type': 'linux'}, {'os_distro': 'ubuntu'})
    def test_other_guests(self, image):
        self.assertFalse(recognition.is_windows(self.read(image)))

    def test_windows_that_nova_does_not_know_of(self):
        if not releases.WRITES_PROPERTIES:
            self.skipTest('this Nova writes nothing of the image')
        found = self.read({'os_distro': 'win10'})

        self.assertTrue(recognition.is_windows(found))
        codes = self.codes(found)
        self.assertEqual(('untyped', 'os_type'), codes[0])
        self.assertEqual(('clock-utc', 'clock'), codes[-1])


@ddt.ddt
class PluginTestCase(guest.PluginTestCase):
    """What the plugin's driver writes beside Nova's metadata."""

    codes = RecognitionTestCase.codes

    def read(self, *arguments):
        """Boot a server, and return what is read of it."""
        return domain.parse(self.defined_xml(self.boot(*arguments)))

    def start_host(self):
        super().start_host(base.hyperv_document(*sets.LIBVIRT))

    def test_what_the_image_turns_off(self):
        self.start_host()
        found = self.read(
            {'os_type': 'windows', 'hyperv_enlight_reset': 'off'}
        )

        self.assertNotIn('reset', found.hyperv.features)
        self.assertEqual([], self.codes(found))

    def test_what_the_flavor_turns_off(self):
        self.start_host()
        found = self.read(
            {'os_type': 'windows'}, {'hyperv_enlight:ipi': 'off'}
        )

        self.assertNotIn('ipi', found.hyperv.features)
        self.assertEqual([], self.codes(found))

    def test_the_profile_of_the_image(self):
        self.start_host()
        minimal = self.read(
            {'os_type': 'windows', 'hyperv_enlight_profile': 'minimal'}
        )
        stock = self.read(
            {'os_type': 'windows', 'hyperv_enlight_profile': 'stock'}
        )

        self.assertEqual(sets.MINIMAL, minimal.hyperv.features)
        self.assertEqual([], self.codes(minimal))
        self.assertEqual(STOCK, stock.hyperv.features)
        self.assertEqual([], self.codes(stock))

    def test_nothing_of_ours(self):
        """Nova's metadata alone are there, to the byte."""
        self.start_host()
        server = self.boot({'os_type': 'windows', 'hw_time_hpet': 'true'})

        (metadata,) = self.domain_xml(server).findall('metadata')
        (stock,) = etree.fromstring(self.stock_xml(server)).findall('metadata')
        self.assertEqual(
            nova.timeless(etree.tostring(stock, encoding='unicode')),
            nova.timeless(etree.tostring(metadata, encoding='unicode')),
        )

    @ddt.data({'enabled': False}, {'mode': 'shadow'})
    def test_not_acting(self, options):
        self.plugin_flags(**options)
        self.start_host()

        self.assertStockXML(
            self.boot({'os_type': 'windows', 'hyperv_enlight_reset': 'off'})
        )

    def test_linux(self):
        self.start_host()

        self.assertStockXML(
            self.boot(
                {'os_type': 'linux', 'hyperv_enlight_reset': 'off'},
                {'hyperv_enlight:ipi': 'off'},
            )
        )
