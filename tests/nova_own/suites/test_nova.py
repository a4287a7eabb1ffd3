# SPDX-License-Identifier: Apache-2.0

"""Nova's unit tests of its libvirt driver and its functional ones."""

import pkgutil

from nova.tests.functional import libvirt


def load_tests(loader, tests, pattern):
    """Return Nova's tests, under their own names."""
    functional = sorted(
        f'{libvirt.__name__}.{module.name}'
        for module in pkgutil.iter_modules(libvirt.__path__)
        if module.name.startswith('test_')
    )
    return loader.loadTestsFromNames(
        ['nova.tests.unit.virt.libvirt.test_driver', *functional]
    )
