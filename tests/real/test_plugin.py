# SPDX-License-Identifier: Apache-2.0
"""What the plugin's driver does on this machine.

The same tests hold on a machine whose KVM emulates Hyper-V, such as the lab:
there a guest must get what it can be shown, here it must get nothing.
"""

from tests.fixtures import nova
from tests.real import base
from tests.real import kvm
from tests import sets

# What every KVM that emulates Hyper-V can deliver of the baseline: the oldest
# names, from relaxed to reset.
ALWAYS = frozenset(sets.PUBLISHED[:8])


def switched_on(domain):
    """The names of the enlightenments that a domain runs with."""
    return {
        child.tag
        for child in domain.iterfind('features/hyperv/*')
        if child.get('state') == 'on'
    }


def has_hypervclock(domain):
    """Whether a domain has Hyper-V's clock."""
    return any(
        timer.get('name') == 'hypervclock' and timer.get('present') != 'no'
        for timer in domain.iterfind('clock/timer')
    )


class PluginOnKVMTest(base.RealTestCase):
    """The plugin's driver, virt_type=kvm."""

    COMPUTE_DRIVER = nova.PLUGIN_DRIVER

    def has_hyperv(self):
        """Whether a guest of this virt_type can be shown a Hyper-V."""
        return kvm.emulates_hyperv()

    def stock_starts(self):
        """Whether a guest with Nova's own list starts."""
        return self.has_hyperv()

    def test_windows_runs_what_the_host_delivers(self):
        self.start_host()
        domain = self.domain_xml(self.boot({'os_type': 'windows'}))

        if self.has_hyperv():
            self.assertLessEqual(ALWAYS, switched_on(domain))
        else:
            self.assertEqual(set(), switched_on(domain))
        self.assertEqual(self.has_hyperv(), has_hypervclock(domain))

    def test_windows_is_explained_in_one_line(self):
        self.start_host()
        server = self.boot({'os_type': 'windows'})

        self.assertEqual(
            1, len(self.plugin_lines(server)), self.plugin_lines(server)
        )

    def test_linux_is_left_alone(self):
        self.start_host()
        server = self.boot({'os_type': 'linux'})

        self.assertStockXML(server)
        self.assertEqual([], self.plugin_lines(server))

    def test_windows_is_left_alone_when_disabled(self):
        self.plugin_flags(enabled=False)
        self.start_host()
        # as stock Nova it asks for what only a KVM with Hyper-V can deliver
        server = self.boot(
            {'os_type': 'windows'},
            expected_state='ACTIVE' if self.stock_starts() else 'ERROR',
        )

        self.assertStockXML(server)
        self.assertEqual([], self.plugin_lines(server))


class PluginOnQEMUTest(PluginOnKVMTest):
    """The plugin's driver, virt_type=qemu."""

    VIRT_TYPE = 'qemu'

    def has_hyperv(self):
        return False

    def stock_starts(self):
        # As in test_stock.
        return self.qemu_version() >= (10, 0)
