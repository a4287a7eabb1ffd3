# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import model
from tests.unit.host import kernel


@ddt.ddt
class ParametersTestCase(kernel.KvmTestCase):
    """The parameters of the kvm modules."""

    @ddt.unpack
    @ddt.data(
        (b'Y\n', True),
        (b'N\n', False),
        (b'1\n', True),
        (b'0\n', False),
        (b'Y', True),
        (b' N \n', False),
    )
    def test_ask_parameter(self, content, answer):
        self.set_parameters('kvm_intel', nested=content, enable_apicv=content)
        facts = self.ask()
        self.assertIs(model.Vendor.INTEL, facts.vendor)
        self.assertIs(answer, facts.nested)
        self.assertIs(answer, facts.apic)
        self.assertEqual(1, len(facts.unasked))  # the device

    @ddt.unpack
    @ddt.data(
        (b'', "holds '', not a boolean"),
        (b'\n', "holds '', not a boolean"),
        (b'2\n', "holds '2', not a boolean"),
        (b'y\n', "holds 'y', not a boolean"),
        (b'Yes\n', "holds 'Yes', not a boolean"),
        (b'Y\nN\n', r"holds 'Y\nN', not a boolean"),
        (b'a' * 99, f"holds '{'a' * 32}', not a boolean"),
        (b'\x00', r"holds '\x00', not a boolean"),
    )
    def test_ask_parameter_odd(self, content, complaint):
        path = self.set_parameters(
            'kvm_intel', nested=content, enable_apicv=b'Y\n'
        )
        facts = self.ask()
        self.assertIsNone(facts.nested)
        self.assertIs(True, facts.apic)
        self.assertIn(f'{path / "nested"} {complaint}', facts.unasked)

    def test_ask_parameter_binary(self):
        path = self.set_parameters('kvm_amd', nested=b'\xff\xfe', avic=b'Y\n')
        facts = self.ask()
        self.assertIsNone(facts.nested)
        self.assertIn(
            f"{path / 'nested'} cannot be read: 'ascii' codec can't decode",
            '\n'.join(facts.unasked),
        )

    def test_ask_parameter_missing(self):
        path = self.set_parameters('kvm_amd', nested=b'1\n')
        facts = self.ask()
        self.assertIs(True, facts.nested)
        self.assertIsNone(facts.apic)
        self.assertIn(
            f'{path / "avic"} cannot be read: No such file or directory',
            facts.unasked,
        )

    def test_ask_parameter_directory(self):
        path = self.set_parameters('kvm_amd', nested=b'1\n')
        (path / 'avic').mkdir()
        facts = self.ask()
        self.assertIsNone(facts.apic)
        self.assertIn(
            f'{path / "avic"} cannot be read: Is a directory', facts.unasked
        )

    @ddt.unpack
    @ddt.data(('kvm_intel', 'avic'), ('kvm_amd', 'enable_apicv'))
    def test_ask_parameter_of_the_other_vendor(self, kernel_module, other):
        self.set_parameters(kernel_module, **{'nested': b'Y\n', other: b'Y\n'})
        self.assertIsNone(self.ask().apic)

    def test_ask_no_module(self):
        facts = self.ask()
        self.assertEqual(
            (None, None, None), (facts.vendor, facts.nested, facts.apic)
        )
        self.assertEqual(
            f'neither kvm_intel nor kvm_amd is in {self.sysfs}/module: no '
            'answer on nested virtualization and APIC virtualization',
            facts.unasked[-1],
        )

    def test_ask_module_is_a_file(self):
        (self.sysfs / 'module').mkdir()
        (self.sysfs / 'module' / 'kvm_amd').touch()
        self.assertIsNone(self.ask().vendor)
