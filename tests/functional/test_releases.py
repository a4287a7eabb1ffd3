# SPDX-License-Identifier: Apache-2.0

"""What our driver looks like to the Nova that it is tested with."""

import inspect

import ddt
from nova.virt.libvirt import driver as stock
import testtools

from nova_hyperv_enlight.virt import driver

OVERRIDDEN = sorted(
    name
    for name, value in vars(driver.LibvirtDriver).items()
    if inspect.isfunction(value) and name != '__init__'
)


@ddt.ddt
class SignatureTestCase(testtools.TestCase):
    @ddt.data(*OVERRIDDEN)
    def test_is_novas(self, name):
        # Nova's tests of its drivers compare what this returns.
        expected = inspect.getfullargspec(getattr(stock.LibvirtDriver, name))

        found = inspect.getfullargspec(getattr(driver.LibvirtDriver, name))

        self.assertEqual(expected, found)
