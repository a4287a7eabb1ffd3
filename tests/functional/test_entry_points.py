# SPDX-License-Identifier: Apache-2.0

import importlib.metadata

import ddt
import testtools

OURS = {
    'console_scripts': {'nova-hyperv-enlight', 'nova-hyperv-enlight-status'},
    'nova.api.extra_spec_validators': {'hyperv_enlight'},
    'nova_hyperv_enlight.commands': {
        'convert',
        'domain_apply',
        'domain_audit',
        'explain',
        'fleet_audit',
        'fleet_baseline',
        'fleet_check',
        'guest_exits',
        'guest_verify',
        'host_show',
        'profile_list',
        'profile_show',
        'server_explain',
    },
    'nova_hyperv_enlight.guest_config': {
        'hyperv',
        'hypervclock',
        'noop',
        'pit',
    },
    'os_vif': {'hyperv_enlight'},
    'oslo.config.opts': {'nova_hyperv_enlight'},
}


def own():
    return importlib.metadata.distribution('nova-hyperv-enlight').entry_points


@ddt.ddt
class EntryPointsTestCase(testtools.TestCase):
    def test_what_there_is(self):
        found = {}
        for point in own():
            found.setdefault(point.group, set()).add(point.name)

        self.assertEqual(OURS, found)

    @ddt.data(*sorted((g, n) for g, names in OURS.items() for n in names))
    @ddt.unpack
    def test_loads(self, group, name):
        (point,) = own().select(group=group, name=name)

        self.assertIsNotNone(point.load())

    @ddt.data(*OURS)
    def test_all_values_are_in_the_package(self, group):
        modules = {
            point.module.partition('.')[0]
            for point in own().select(group=group)
        }

        self.assertEqual({'nova_hyperv_enlight'}, modules)
