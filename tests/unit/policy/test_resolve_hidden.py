# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit.policy import cases


@ddt.ddt
class HiddenTestCase(cases.ResolveTestCase):
    """Nova's hide_hypervisor_id keeps its meaning."""

    KEYS = (
        ('flavor', 'hide_hypervisor_id'),
        ('flavor', 'hw:hide_hypervisor_id'),
        ('image', 'img_hide_hypervisor_id'),
    )

    def decide(
        self,
        source,
        key,
        text='true',
        host=cases.HOST,
        distro='win2k22',
        **kwargs,
    ):
        specs = {f'hyperv_enlight:{n}': v for n, v in kwargs.items()}
        properties = {'os_distro': distro}
        {'flavor': specs, 'image': properties}[source][key] = text
        req = request.from_properties(
            os_type='windows', extra_specs=specs, image_properties=properties
        )
        return resolve.resolve(settings.Settings(profile='none'), req, host)

    @ddt.unpack
    @ddt.data(*KEYS)
    def test_resolve_hidden(self, source, key):
        decided = self.decide(source, key)
        self.check_on(['vendor_id'], decided)
        self.assertEqual(
            {('vendor_id.value', '1234567890ab')}, decided.selection.values
        )
        self.check_outcome(
            decided,
            'vendor_id',
            'on',
            'hidden',
            source,
            f"'vendor_id' is on: the {source} hides the hypervisor ({key}).",
        )

    @ddt.unpack
    @ddt.data(*KEYS)
    def test_resolve_not_hidden(self, source, key):
        self.check_on((), self.decide(source, key, 'false'))

    @ddt.unpack
    @ddt.data(*KEYS)
    def test_resolve_hidden_from_an_old_release(self, source, key):
        # What a profile must not give it; Nova asks for this one.
        self.check_on(['vendor_id'], self.decide(source, key, distro='winxp'))

    def test_resolve_hidden_with_a_value(self):
        decided = self.decide(
            'flavor', 'hide_hypervisor_id', **{'vendor_id.value': 'KVM Hv'}
        )
        self.assertEqual(
            {('vendor_id.value', 'KVM Hv')}, decided.selection.values
        )

    def test_resolve_hidden_and_turned_off(self):
        decided = self.decide(
            'flavor', 'hide_hypervisor_id', **{'vendor_id': 'off'}
        )
        self.check_on((), decided)

    def test_resolve_hidden_on_a_host_without(self):
        # As with a profile: nobody asked for vendor_id by its name.
        host = cases.make_host(cases.ALL - {'vendor_id'})
        decided = self.decide('flavor', 'hide_hypervisor_id', host=host)
        self.check_on((), decided)
        # But it was asked for, and the log says that it is not there.
        self.assertEqual(
            ['vendor_id'],
            [v.name for v in decided.left_out if v.name == 'vendor_id'],
        )
