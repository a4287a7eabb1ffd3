# SPDX-License-Identifier: Apache-2.0

"""What the adoption of running guests adds to the start of nova-compute.

Guests that Nova's own driver started, on Nova's fake libvirt. The database,
which each record is saved in, is not there; nor is libvirt's own answer
counted, which is taken from a table here.
"""

import gc
import os
import statistics
import time

# First of all, for it settles Nova's threads.
from tests.functional import base
from tests.functional import guest

import fixtures
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt.libvirt import driver as nova_driver
from oslo_utils import uuidutils

from benchmarks import measure
from nova_hyperv_enlight.virt import recorder

GOAL_MS = 2
GOAL_RATIO = 11
MANY, FEW = 1000, 100
PASSES = 7
WINDOWS = {'os_type': 'windows'}
DOCUMENT = 'amd-libvirt9.0-qemu7.2-lab-pc'
_FAKE = 'nova.tests.fixtures.libvirt'


class _Bench(guest.GuestTestCase):
    """Nova's fixtures without a test, whose base clears other names."""

    _ratio = None
    _seconds = None
    _answer = None

    def runTest(self):
        self.start_host(guest.document(DOCUMENT))
        stock = self.config(self.driver(base.nova.STOCK_DRIVER), WINDOWS)
        self.let_libvirt_answer(os.fsdecode(stock.to_xml()))
        driver = self.driver()
        instances = [self.running() for _ in range(MANY)]
        driver._enlightener.load()
        parts = [
            instances[first : first + FEW] for first in range(0, MANY, FEW)
        ]
        # In turns: the machine has other things to do as well.
        passes = [
            (
                sum(self.measure(driver, part) for part in parts) / len(parts),
                self.measure(driver, instances),
            )
            for _ in range(PASSES)
        ]
        self._ratio = statistics.median(many / few for few, many in passes)
        self._seconds = statistics.median(many for _, many in passes)
        self._answer = statistics.median(
            _time(self.ask, driver, instances) for _ in range(PASSES)
        )

    def let_libvirt_answer(self, document):
        """Answer with this document, at once, about any guest.

        The real one finds its guests by a hash, the fake one by looking
        through them, and the fake one forgets ``<hyperv>``.
        """
        domain = fakelibvirt.Domain(
            fakelibvirt.Connection('qemu:///system'), document
        )
        for name, answer in (
            (
                f'{_FAKE}.Connection.lookupByUUIDString',
                lambda connection, uuid: domain,
            ),
            (f'{_FAKE}.Domain.XMLDesc', lambda domain, flags: document),
        ):
            self.useFixture(fixtures.MonkeyPatch(name, answer))

    def running(self):
        """Return an instance that Nova has nothing to register of."""
        instance = self.instance(WINDOWS)
        instance.uuid = uuidutils.generate_uuid()
        for name in nova_driver.REGISTER_IMAGE_PROPERTY_DEFAULTS:
            instance.system_metadata[f'image_{name}'] = 'pc'
        return instance

    def measure(self, driver, instances):
        """Return the seconds that adopting these takes."""
        for instance in instances:
            instance.system_metadata.pop(recorder.KEY, None)
        spent = _time(self.adopt, driver, instances)
        missed = [i for i in instances if not recorder.read(i)]
        if missed:
            raise RuntimeError(f'{len(missed)} guests were not adopted')
        return spent

    def adopt(self, driver, instances):
        driver._register_all_undefined_instance_details(
            self.context, instances
        )

    def ask(self, driver, instances):
        for instance in instances:
            driver._host.get_guest(instance).get_xml_desc()


def _time(function, *args):
    gc.collect()
    begin = time.perf_counter()
    function(*args)
    return time.perf_counter() - begin


def figures():
    """Measure."""
    bench = _Bench()
    result = bench.defaultTestResult()
    bench.run(result)
    if not result.wasSuccessful():
        raise RuntimeError(str(result.errors or result.failures))
    seconds, answer = bench._seconds, bench._answer
    return [
        measure.Figure(
            what=f'adoption of {MANY:,} guests / of {FEW}',
            value=bench._ratio,
            goal=GOAL_RATIO,
        ),
        measure.Figure(
            what='adoption, each guest',
            value=(seconds - answer) / MANY * 1000,
            unit='ms',
            goal=GOAL_MS,
            digits=3,
        ),
        measure.Figure(
            what=f'  all {MANY:,} of them', value=seconds, unit='s', digits=2
        ),
        measure.Figure(
            what="  libvirt's answer, each guest",
            value=answer / MANY * 1000,
            unit='ms',
            digits=3,
        ),
    ]
