# SPDX-License-Identifier: Apache-2.0

"""What is concluded about hosts that were recorded as a whole."""

import dataclasses
import itertools
import json
import pathlib

import ddt
import fixtures

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.host import hostcaps
from nova_hyperv_enlight.host import kvm
from tests import sets
from tests.unit import base

_DATA = base.DATA / 'lab'
_MACHINES = ('pc', 'q35')
_RELEASES = ('lab-trixie', 'lab-sid')
# What libvirt 9.0 and QEMU 7.2 have, and KVM of Linux 6.1 emulates.
_SOFTWARE = sets.BASELINE | {'vendor_id'}
# The same of libvirt 11.3, QEMU 10.0 and Linux 6.12, and of all newer ones.
_NEWER = _SOFTWARE | {
    'emsr_bitmap',
    'xmm_input',
    'tlbflush.direct',
    'tlbflush.extended',
}


def _version(number):
    return number // 1000000, number // 1000 % 1000, number % 1000


@ddt.ddt
class RecordedTestCase(base.TestCase):
    """Every witness as it was recorded; only the asking is not real."""

    def _kernel(self, facts):
        """The facts that kvm.ask() would have found."""
        sysfs = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        for module, parameters in facts['/sys/module'].items():
            folder = sysfs / 'module' / module / 'parameters'
            folder.mkdir(parents=True)
            for name, text in parameters.items():
                (folder / name).write_text(text)
        found = kvm.ask(str(sysfs / 'kvm'), str(sysfs))
        answers = facts['/dev/kvm']
        if 'errno' in answers:
            return found
        extensions = answers['extensions']
        return dataclasses.replace(
            found,
            hyperv=extensions['KVM_CAP_HYPERV'] > 0,
            time=extensions['KVM_CAP_HYPERV_TIME'] > 0,
            leaves={
                int(leaf, 16): {
                    register: int(word, 16)
                    for register, word in zip(model.Register, words)
                }
                for leaf, words in answers.get('leaves', {}).items()
            }
            or None,
            unasked=(),
        )

    def read(self, name, machine):
        """Return a recorded host's facts and its witnesses."""
        folder = _DATA / name
        facts = json.loads((folder / 'facts.json').read_text())
        document = folder / f'kvm-{machine}.xml'
        self.assertIsNot(
            document.exists(), f'kvm-{machine}' in facts['refused']
        )
        domcaps = (
            domaincaps.parse(document.read_bytes())
            if document.exists()
            else domaincaps.DomainCapabilities()
        )
        sources = capabilities.Sources(
            virt_type='kvm',
            arch='x86_64',
            machine=machine,
            libvirt=_version(facts['libvirt']),
            qemu=_version(facts['qemu']),
            domcaps=domcaps,
            kernel=self._kernel(facts),
            tsc_frequency=hostcaps.tsc(
                (folder / 'capabilities.xml').read_bytes()
            ).frequency,
        )
        return facts, sources

    def offered(self, name, machine):
        features = evaluation.evaluate(self.read(name, machine)[1]).features
        return {
            name
            for name, capability in features.items()
            if capability.offered is True
        }

    @ddt.data(*_MACHINES)
    def test_lab(self, machine):
        _, sources = self.read('lab', machine)
        kernel = sources.kernel

        self.assertIs(model.Vendor.AMD, kernel.vendor)
        self.assertEqual((True, False), (kernel.nested, kernel.apic))
        self.assertEqual(_SOFTWARE, self.offered('lab', machine))
        # libvirt lists it, and does not tell the TSC frequency to pin.
        self.assertIn('reenlightenment', sources.domcaps.features)
        self.assertIsNone(sources.tsc_frequency)

    @ddt.data(*_MACHINES)
    def test_lab_without_nested(self, machine):
        kernel = self.read('lab-nested0', machine)[1].kernel

        self.assertEqual((False, False), (kernel.nested, kernel.apic))
        self.assertEqual(_SOFTWARE, self.offered('lab-nested0', machine))

    @ddt.data(*_MACHINES)
    def test_lab_with_avic(self, machine):
        kernel = self.read('lab-avic1', machine)[1].kernel

        self.assertEqual((True, True), (kernel.nested, kernel.apic))
        self.assertEqual(
            _SOFTWARE | {'avic'}, self.offered('lab-avic1', machine)
        )

    @ddt.data(*itertools.product(_RELEASES, _MACHINES))
    @ddt.unpack
    def test_lab_of_another_release(self, name, machine):
        _, sources = self.read(name, machine)

        self.assertEqual(
            (True, False), (sources.kernel.nested, sources.kernel.apic)
        )
        self.assertEqual(_NEWER, self.offered(name, machine))

    @ddt.data(*_RELEASES)
    def test_qemu_knows_every_name(self, name):
        folder = _DATA / name
        facts = json.loads((folder / 'facts.json').read_text())
        model = json.loads((folder / 'cpu-host.json').read_text())
        known = {one for one in model['props'] if one.startswith('hv-')}

        ours = {
            entry.qemu_flag
            for entry in enlightenments.ENLIGHTENMENTS.values()
            if entry.min_qemu <= _version(facts['qemu'])
        }

        self.assertGreater(len(ours), 20)
        self.assertEqual(set(), ours - known)

    @ddt.data(*_MACHINES)
    def test_machine_of_ours(self, machine):
        kernel = self.read('machine', machine)[1].kernel

        self.assertIs(False, kernel.hyperv)
        self.assertEqual(set(), self.offered('machine', machine))

    @ddt.data(*_MACHINES)
    def test_denied(self, machine):
        facts, sources = self.read('lab-denied', machine)

        self.assertEqual(13, facts['/dev/kvm']['errno'])
        self.assertIn(f'kvm-{machine}', facts['refused'])
        self.assertIsNone(sources.kernel.hyperv)
        self.assertEqual(set(), self.offered('lab-denied', machine))

    def test_each_was_recorded_by_the_same_releases(self):
        releases = {
            (facts['libvirt'], facts['qemu'])
            for facts in (
                self.read(folder.name, 'pc')[0]
                for folder in _DATA.iterdir()
                if folder.is_dir() and folder.name not in _RELEASES
            )
        }

        self.assertEqual(1, len(releases))
