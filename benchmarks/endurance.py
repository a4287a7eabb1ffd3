# SPDX-License-Identifier: Apache-2.0

"""What becomes of a nova-compute that runs for long, and of hasty tenants.

    python -m benchmarks.endurance

Guests of many kinds, by our driver on Nova's fake libvirt: many thousands one
after the other in one process, and many at once. Images that are refused are
timed without Nova. Exit code 3: a goal was missed.
"""

import argparse
import contextlib
import gc
import logging
import sys
import threading
import time
from unittest import mock

import psutil

# First of all, for it settles Nova's threads.
from tests.functional import base
from tests.functional import guest

from benchmarks import measure
from nova import exception as nova_exception
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit.policy import cases

BUILDS, WARM_UP, TOGETHER = 10000, 100, 64
GOAL_MIB, GOAL_MILLISECONDS = 5, 5
MISSED = 3
OFFERED = (*sorted(guest.BASELINE - {'stimer.direct'}), 'vendor_id')
MACHINES = ('pc', 'q35', 'pc-q35-2.11', 'pc-i440fx-2.11')
ROUNDS = 2000


def image(number):
    """Return the properties of a guest; hardly two are alike."""
    properties = {
        'os_type': 'windows',
        'hw_machine_type': MACHINES[number % len(MACHINES)],
        'hyperv_enlight_spinlocks_retries': str(4095 + number),
    }
    if number % 5 == 0:
        properties[f'hyperv_enlight_x{number}'] = 'refused'
    if number % 7 == 0:
        properties['os_type'] = 'linux'
    return properties


def _forget_calls():
    """Let go of what the stand-ins of Nova's tests remember."""
    gc.collect()
    for thing in gc.get_objects():
        if issubclass(type(thing), mock.NonCallableMock):
            thing.reset_mock()
    gc.collect()


class _Bench(guest.GuestTestCase):
    """Nova's fixtures without a test."""

    # Nova's tests lose their public attributes at the end.
    _builds = 0
    _found = None

    def runTest(self):
        self.start_host(base.hyperv_document(*OFFERED))
        # Nova's tests keep its log in memory, which nova-compute does not.
        for handler in logging.getLogger().handlers:
            handler.setLevel(logging.WARNING)
        driver = self.driver()
        self._found = [*self._long(driver), *self._together()]

    def _build(self, driver, arguments):
        # A fifth of the images asks for what is refused: that shall leak
        # nothing, either.
        with contextlib.suppress(nova_exception.InvalidInput):
            driver._get_guest_config(*arguments, context=self.context).to_xml()

    def _long(self, driver):
        process = psutil.Process()
        begin = after = most = 0
        for number in range(self._builds):
            self._build(driver, self.arguments(image(number)))
            if number % 100 == 99:
                _forget_calls()
                after = process.memory_info().rss
                if number == WARM_UP - 1:
                    begin = after
                most = max(most, after)
        yield measure.Figure(
            what=f'memory after {self._builds} builds, beyond that after 100',
            value=(after - begin) / 2**20,
            unit='MiB',
            goal=GOAL_MIB,
        )
        yield measure.Figure(
            what='  at most meanwhile',
            value=(most - begin) / 2**20,
            unit='MiB',
        )

    def _together(self):
        driver = self.driver()
        # Nova does so when it starts: its own cache is not safe for threads.
        driver._host.get_capabilities()
        start = threading.Barrier(TOGETHER + 1)
        done = []

        def work(arguments):
            start.wait()
            self._build(driver, arguments)
            done.append(arguments)

        threads = [
            threading.Thread(
                target=work, args=[self.arguments(image(number))], daemon=True
            )
            for number in range(TOGETHER)
        ]
        for thread in threads:
            thread.start()
        start.wait()
        begin = time.monotonic()
        for thread in threads:
            thread.join()
        if len(done) < TOGETHER:
            raise RuntimeError(f'only {len(done)} builds came to an end')
        yield measure.Figure(
            what=f'{TOGETHER} builds at once',
            value=time.monotonic() - begin,
            unit='s',
            digits=2,
        )


def _spent(properties):
    begin = time.thread_time()
    try:
        asked = request.from_properties(
            os_type='windows', extra_specs={}, image_properties=properties
        )
        resolve.resolve(settings.Settings(), asked, cases.HOST)
    except exception.EnlightException:
        pass
    return (time.thread_time() - begin) * 1000


def _refusals():
    long = 'x' * 255
    images = {
        'a refused name': {'hyperv_enlight_' + long[:240]: long},
        'a refused value': {'hyperv_enlight_stimer': '\x1b' * 255},
        'a refused profile': {'hyperv_enlight_profile': '\n' * 255},
        'a forbidden name': {'hyperv_enlight_evmcs': 'on'},
        'what excludes each other': {
            'hyperv_enlight_stimer': 'on',
            'hyperv_enlight_synic': 'off',
        },
        'a thousand properties': {
            f'hyperv_enlight_{number}': long for number in range(1000)
        },
    }
    for what, properties in images.items():
        _spent(properties)
        spent = sorted(_spent(properties) for _ in range(ROUNDS))
        yield measure.Figure(
            what=f'{what}: the slowest of {ROUNDS} refusals',
            value=spent[-1],
            unit='ms',
            goal=GOAL_MILLISECONDS,
            digits=3,
        )
    # All of them have the same hash, and are compared one by one.
    alike = [
        {'hyperv_enlight_spinlocks_retries': str(4095 + number)}
        for number in range(ROUNDS)
    ]
    yield measure.Figure(
        what=f'the slowest of {ROUNDS} decisions of equal hashes',
        value=max(_spent(properties) for properties in alike),
        unit='ms',
        goal=GOAL_MILLISECONDS,
        digits=3,
    )


def figures(builds):
    """Measure.

    :param builds: how many guests are built one after the other.
    """
    bench = _Bench()
    bench._builds = builds
    result = bench.defaultTestResult()
    bench.run(result)
    if not result.wasSuccessful():
        problems = (*result.errors, *result.failures)
        raise RuntimeError('\n'.join(text for _, text in problems))
    return [*bench._found, *_refusals()]


def main():
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.endurance',
        description=__doc__.split('\n')[0],
    )
    parser.add_argument(
        '--builds',
        type=int,
        default=BUILDS,
        help='how many guests one after the other (default: %(default)s)',
    )
    found = figures(parser.parse_args().builds)
    print(measure.table(found))
    return 0 if all(figure.met for figure in found) else MISSED


if __name__ == '__main__':
    sys.exit(main())
