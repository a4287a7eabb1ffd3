# SPDX-License-Identifier: Apache-2.0

"""What stands beside a profile that others fill in."""

from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.host import probe
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit import base
from tests.unit.domxml import domains
from tests.unit.host import connection
from tests.unit.host import samples
from tests.unit.policy import cases

V12_1 = cases.make_host(libvirt=(12, 1, 0))


class ModesTestCase(base.TestCase):
    def test_sub_element_off_beside_host_model_is_written(self):
        decided = cases.decide(
            profile='host-model', force_off=('stimer.direct',), host=V12_1
        )
        domain = domains.parse(domains.WHOLE)
        hyperv.apply(domain, decided.selection)

    def test_off_beside_host_model_takes_along_what_requires_it(self):
        for off, gone in (
            ('vpindex', {'synic', 'stimer', 'tlbflush', 'ipi', 'avic'}),
            ('hypervclock', {'stimer'}),
        ):
            decided = cases.decide(
                profile='host-model', force_off=(off,), host=V12_1
            )
            self.assertEqual(set(), gone - decided.selection.off)

    def test_host_model_on_virt_type_qemu_starts(self):
        asked = probe.Probe(
            connection.Connection, lambda: samples.LAB_KERNEL
        ).capabilities('x86_64', 'q35', 'qemu')
        decided = resolve.resolve(
            settings.Settings(profile='host-model'),
            cases.make_request(),
            asked,
        )
        self.assertEqual(frozenset(), decided.selection.features)

    def hidden(self, profile, **properties):
        req = request.from_properties(
            os_type='windows',
            extra_specs={'hide_hypervisor_id': 'true'},
            image_properties=properties,
        )
        return resolve.resolve(
            settings.Settings(profile=profile), req, V12_1
        ).selection.features

    def test_hidden_beside_host_model(self):
        self.assertIn('vendor_id', self.hidden('host-model'))

    def test_hidden_from_windows_xp(self):
        names = self.hidden('baseline', os_distro='winxp')
        self.assertIn('vendor_id', names)

    def test_windows_7_with_service_pack(self):
        for version in ('7 SP1', '6.1.7601'):
            req = request.from_properties(
                os_type='windows',
                extra_specs={},
                image_properties={
                    'os_distro': 'windows',
                    'os_version': version,
                    'hw_firmware_type': 'uefi',
                },
            )
            decided = resolve.resolve(settings.Settings(), req, cases.HOST)
            self.assertEqual(frozenset(), decided.selection.features)
