# SPDX-License-Identifier: Apache-2.0
"""The decision follows the host: hosts that lack something."""

import json
import sys
import typing

from tests.lab import base
from tests.lab import fixture
from tests.lab import spec as lab_spec
from tests import sets

# What libvirt 9.0 and QEMU 7.2, and all newer ones, get out of this KVM.
_BASELINE = sets.BASELINE
_NESTED = 'it needs nested virtualization, which the host has switched off'
_APIC = (
    'it needs APIC virtualization (APICv or AVIC), which the host has '
    'switched off'
)
_MACHINES = ('pc', 'q35')


class HostsTestCase(base.LabTestCase):
    """What the probe says of a host, and what is decided for its guests."""

    def _ask(self, **spec: typing.Any) -> dict[str, typing.Any]:
        host = self.useFixture(
            fixture.SharedLabFixture(lab_spec.LabSpec(**spec))
        )

        result = host.run([sys.executable, '-m', 'tests.lab.ask_host'])

        self.assertEqual(0, result.returncode, str(result.stderr))
        answers: dict[str, typing.Any] = json.loads(result.stdout)
        return answers

    def _assert_everywhere(
        self, answers: dict[str, typing.Any], profile: str, on: set[str]
    ) -> None:
        """Check what a profile gives with each machine type."""
        for machine in _MACHINES:
            decision = answers['machines'][machine]['decisions'][profile]
            self.assertEqual(on, set(decision['on']), decision['line'])

    def test_full_host(self) -> None:
        answers = self._ask(module_params=('kvm_amd.avic=0',))

        self.assertEqual(
            {
                'hyperv': True,
                'time': True,
                'vendor': 'AMD',
                'nested': True,
                'apic': False,
            },
            answers['kernel'],
        )
        self.assertEqual([], answers['logged'])
        self._assert_everywhere(answers, 'baseline', _BASELINE)
        for machine in _MACHINES:
            found = answers['machines'][machine]
            self.assertEqual([False, '/sys', _APIC], found['offers']['avic'])
            # as AMD has no VMCS
            self.assertIs(False, found['offers']['evmcs'][0])
            passed = found['decisions']['passthrough']
            self.assertEqual('passthrough', passed['mode'])
            self.assertEqual(['hypervclock'], passed['on'])
        newer = answers['newer']
        self.assertIs(True, newer['offers']['emsr_bitmap'][0])
        self.assertIn('emsr_bitmap', newer['decisions']['nested']['on'])
        # Whatever the host has, QEMU's emulator shows none of it.
        for profile in ('baseline', 'performance', 'nested'):
            self.assertEqual([], answers['qemu']['decisions'][profile]['on'])

    def test_nested_off(self) -> None:
        answers = self._ask(module_params=('kvm_amd.nested=0',))

        self.assertIs(False, answers['kernel']['nested'])
        self._assert_everywhere(answers, 'baseline', _BASELINE)
        newer = answers['newer']
        for name in ('emsr_bitmap', 'tlbflush.direct'):
            for found in (newer, *answers['machines'].values()):
                self.assertIs(False, found['offers'][name][0])
                self.assertNotIn(name, found['decisions']['nested']['on'])
        self.assertEqual(
            [False, '/sys', _NESTED], newer['offers']['emsr_bitmap']
        )
        self.assertIn(_NESTED, newer['decisions']['nested']['line'])

    def test_avic_on(self) -> None:
        # TCG's processor has no AVIC, so the module must be forced.
        answers = self._ask(
            module_params=('kvm_amd.avic=1', 'kvm_amd.force_avic=1')
        )

        self.assertIs(True, answers['kernel']['apic'])
        self._assert_everywhere(answers, 'baseline', _BASELINE)
        for machine in _MACHINES:
            found = answers['machines'][machine]
            self.assertIs(True, found['offers']['avic'][0])
            self.assertIn('avic', found['decisions']['performance']['on'])

    def test_kvm_denied(self) -> None:
        answers = self._ask(kvm_device=lab_spec.KvmDevice.DENIED)

        self.assertEqual(['qemu'], answers['kinds'])
        self.assertIsNone(answers['kernel']['hyperv'])
        self.assertIn(
            'WARNING Hyper-V enlightenments: /dev/kvm cannot be asked: '
            'Permission denied',
            answers['logged'],
        )
        for machine in _MACHINES:
            found = answers['machines'][machine]
            self.assertIn(
                f'domainCapabilities of x86_64 {machine} kvm cannot be had',
                '\n'.join(found['unasked']),
            )
