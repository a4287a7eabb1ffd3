# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.host import domaincaps
from tests import sets
from tests.unit import base
from tests.unit.host import samples

LAB = frozenset(sets.LISTED_ON_AMD)
NEWER = {'emsr_bitmap', 'xmm_input'}

DOCUMENTS = (
    ('amd-libvirt9.0-qemu7.2-machine-pc', {'spinlocks', 'vendor_id'}),
    ('amd-libvirt9.0-qemu7.2-machine-q35', {'spinlocks', 'vendor_id'}),
    ('amd-libvirt9.0-qemu7.2-lab-pc', LAB),
    ('amd-libvirt9.0-qemu7.2-lab-q35', LAB),
    ('amd-libvirt9.0-qemu7.2-lab-q35-tcg', LAB),
    ('amd-libvirt12.8-qemu11.1-lab-pc', LAB | NEWER),
    ('intel-libvirt8.0-qemu6.2-composed', None),
    ('intel-libvirt9.0-qemu6.1-composed', LAB - {'avic'} | {'evmcs'}),
    ('intel-libvirt12.4-qemu10.1-composed', LAB | NEWER | {'evmcs'}),
)

DEFAULTS = (
    ('stimer.direct', True),
    ('tlbflush.direct', True),
    ('tlbflush.extended', True),
)


@ddt.ddt
class DocumentsTestCase(base.TestCase):
    """Documents of whole hosts."""

    def test_all_have_a_row(self):
        stored = {path.stem for path in samples.DOCUMENTS.glob('*.xml')}
        self.assertEqual(stored, {name for name, _ in DOCUMENTS})

    @ddt.unpack
    @ddt.data(*DOCUMENTS)
    def test_parse_names(self, name, names):
        facts = domaincaps.parse(samples.read(name))
        self.assertEqual(names, facts.features)
        self.assertEqual(None if names is None else True, facts.supported)

    @ddt.data(*samples.RELEASES)
    def test_parse_vendor(self, name):
        self.assertEqual(
            name.partition('-')[0],
            domaincaps.parse(samples.read(name)).vendor.value.lower(),
        )

    @ddt.data(*samples.RELEASES)
    def test_parse_virt_type(self, name):
        facts = domaincaps.parse(samples.read(name))
        self.assertEqual(
            ('x86_64', 'qemu' if name.endswith('-tcg') else 'kvm'),
            (facts.arch, facts.virt_type),
        )

    @ddt.unpack
    @ddt.data(
        ('amd-libvirt9.0-qemu7.2-lab-pc', 'pc-i440fx-7.2'),
        ('amd-libvirt9.0-qemu7.2-lab-q35', 'pc-q35-7.2'),
        ('intel-libvirt12.4-qemu10.1-composed', 'pc-i440fx-10.1'),
    )
    def test_parse_machine(self, name, machine):
        facts = domaincaps.parse(samples.read(name))
        self.assertEqual(machine, facts.machine)

    @ddt.unpack
    @ddt.data(
        ('amd-libvirt9.0-qemu7.2-lab-pc', ()),
        ('amd-libvirt12.8-qemu11.1-lab-pc', DEFAULTS),
        ('intel-libvirt12.4-qemu10.1-composed', DEFAULTS),
    )
    def test_parse_defaults(self, name, defaults):
        facts = domaincaps.parse(samples.read(name))
        self.assertEqual(defaults, facts.defaults)

    @ddt.data(*samples.RELEASES)
    def test_composed_says_so(self, name):
        composed = b'Composed, not recorded.' in samples.read(name)
        self.assertEqual(name.endswith('-composed'), composed)

    @ddt.data(*samples.RELEASES)
    def test_least_releases(self, name):
        facts = domaincaps.parse(samples.read(name))
        libvirt, qemu = samples.RELEASES[name]
        self.assertLessEqual(facts.min_libvirt, libvirt)
        self.assertLessEqual(facts.min_qemu, qemu)


@ddt.ddt
class ReleasesTestCase(base.TestCase):
    """The least releases that a document proves."""

    @ddt.unpack
    @ddt.data(
        (domaincaps.DomainCapabilities(), (0, 0, 0)),
        (domaincaps.DomainCapabilities(supported=False), (9, 0, 0)),
        (samples.listing(), (9, 0, 0)),
        (samples.listing('relaxed', 'novelty'), (9, 0, 0)),
        (samples.listing('relaxed', 'avic'), (9, 0, 0)),
        (samples.listing('relaxed', 'xmm_input'), (10, 7, 0)),
        (samples.listing('tlbflush.direct'), (11, 0, 0)),
        (samples.listing('relaxed', has_defaults=True), (11, 9, 0)),
    )
    def test_min_libvirt(self, facts, version):
        self.assertEqual(version, facts.min_libvirt)

    @ddt.unpack
    @ddt.data(
        (None, (), (0, 0, 0)),
        ('virt-7.2', (), (0, 0, 0)),
        ('pc-i440fx-rhel7.6.0', (), (0, 0, 0)),
        ('pc-q35', (), (0, 0, 0)),
        ('pc-q35-6.2', (), (6, 2, 0)),
        ('pc-i440fx-11.0', ('relaxed',), (11, 0, 0)),
        ('pc-i440fx-2.9', ('xmm_input',), (7, 1, 0)),
        (None, ('avic', 'novelty'), (6, 2, 0)),
    )
    def test_min_qemu(self, machine, names, version):
        facts = samples.listing(*names, machine=machine)
        self.assertEqual(version, facts.min_qemu)
