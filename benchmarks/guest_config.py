# SPDX-License-Identifier: Apache-2.0

"""What the plugin adds to the making of a guest's configuration.

A new Windows guest on Nova's fake libvirt: ``_get_guest_config`` and
``to_xml``, by our driver and by Nova's in turns. The database, which the
record of a guest is saved in, is not there.
"""

import gc
import statistics
import time

# First of all, for it settles Nova's threads.
from tests.functional import base
from tests.functional import guest

from benchmarks import measure

GOAL = 1.05
WARM_UP = 20
WINDOWS = {'os_type': 'windows'}
DOCUMENT = 'amd-libvirt9.0-qemu7.2-lab-pc'


class _Bench(guest.GuestTestCase):
    """Nova's fixtures without a test."""

    # Nova's tests lose their public attributes at the end.
    _calls = 0
    _seconds = None

    def runTest(self):
        self.start_host(guest.document(DOCUMENT))
        drivers = {
            name: self.driver(name)
            for name in (base.nova.PLUGIN_DRIVER, base.nova.STOCK_DRIVER)
        }
        self._seconds = {name: [] for name in drivers}
        # Its pauses belong to neither.
        gc.disable()
        self.addCleanup(gc.enable)
        for turn in range(-WARM_UP, self._calls):
            # Who comes first in a turn finds other things in the caches.
            order = list(drivers) if turn % 2 else list(reversed(drivers))
            for name in order:
                spent = self.measure(drivers[name])
                if turn >= 0:
                    self._seconds[name].append(spent)

    def measure(self, driver):
        arguments = self.arguments(WINDOWS)
        begin = time.thread_time()
        driver._get_guest_config(*arguments, context=self.context).to_xml()
        return time.thread_time() - begin


def figures(calls):
    """Measure.

    :param calls: how many guests each driver makes.
    """
    bench = _Bench()
    bench._calls = calls
    result = bench.defaultTestResult()
    bench.run(result)
    if not result.wasSuccessful():
        raise RuntimeError(str(result.errors or result.failures))
    ours, stock = (
        statistics.median(seconds) * 1000
        for seconds in bench._seconds.values()
    )
    return [
        measure.Figure(
            what='guest configuration, ours / stock',
            # Of the two in each turn, which share what else is going on.
            value=statistics.median(
                a / b for a, b in zip(*bench._seconds.values(), strict=True)
            ),
            goal=GOAL,
            digits=3,
        ),
        measure.Figure(what='  ours', value=ours, unit='ms', digits=2),
        measure.Figure(what='  stock', value=stock, unit='ms', digits=2),
    ]
