# SPDX-License-Identifier: Apache-2.0

"""Puts a driver in the place of Nova's, before Nova's tests are imported."""

import os

from tests.fixtures import nova as nova_fixtures  # before Nova

from nova.tests.fixtures import conf
from nova.virt import libvirt
from nova.virt.libvirt import driver as stock

from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.virt import driver as ours

#: The environment variable that says whose driver is tested.
VARIABLE = 'NOVA_OWN_DRIVER'
STOCK, OURS = 'stock', 'ours'


def settle():
    """Put the driver that the environment names where Nova has its own.

    Nova's tests name the class in two ways, and patch it by both.
    """
    _find_paste_config()
    # The machine that runs the tests has no say.
    kvm.ask = lambda *args: kvm.KernelFacts(hyperv=True, time=True)
    if os.environ[VARIABLE] == OURS:
        _own_static_methods()
        stock.LibvirtDriver = libvirt.LibvirtDriver = ours.LibvirtDriver


def _own_static_methods():
    # What replaces an inherited static method in a test cannot tell that it
    # is one, and puts a plain method back.
    for name, value in vars(stock.LibvirtDriver).items():
        if isinstance(value, staticmethod):
            setattr(ours.LibvirtDriver, name, value)


def _find_paste_config():
    # Nova's tests expect to run in a checkout.
    path = nova_fixtures.api_paste_config()
    original = conf.ConfFixture.setUp

    def set_up(fixture):
        original(fixture)
        fixture.conf.set_default('api_paste_config', path, group='wsgi')

    conf.ConfFixture.setUp = set_up
