# SPDX-License-Identifier: Apache-2.0

"""What the adoption of running guests adds to the start of nova-compute.

Guests that Nova's own driver started, on Nova's fake libvirt, are read when it
starts: libvirt's own answer is not counted, which is taken from a table here.
Their records are saved in rounds, here in a database in memory, without
nova-conductor between.
"""

import collections
import gc
import os
import statistics
import time
import types

# First of all, for it settles Nova's threads.
from tests.functional import base
from tests.functional import guest

import fixtures
from nova import context
from nova.db.main import api as db
from nova import objects
from nova import test
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt.libvirt import driver as nova_driver
from oslo_utils import uuidutils

from benchmarks import measure
from nova_hyperv_enlight.virt import adoption

GOAL_MS = 2
GOAL_RATIO = 11
#: A question and a saving for each guest; so many guests in a minute.
GOAL_CALLS, GOAL_ROUND = 2, 50
MANY, FEW = 1000, 100
SAVED = 200
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
        ours = driver._enlightener._adoption
        for instance in instances:
            ours.forget(instance)
        spent = _time(self.adopt, driver, instances)
        missed = [i for i in instances if not ours.pending(i)]
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


class _Database(test.TestCase):
    """Nova's database, with guests whose records are to be saved."""

    _calls = None
    _rounds = None
    _ours = None
    _nova = None

    def runTest(self):
        admin = context.get_admin_context()
        document = '<domain><features><hyperv/></features></domain>'
        guest = types.SimpleNamespace(get_xml_desc=lambda: document)
        host = types.SimpleNamespace(get_guest=lambda instance: guest)
        adopter = adoption.Adoption(host)
        instances = [self.instance(admin) for _ in range(SAVED)]
        for instance in instances:
            adopter.note(instance)
        calls = collections.Counter()
        for name in (
            'instance_get_by_uuid',
            'instance_update_and_get_original',
        ):
            self.useFixture(
                fixtures.MonkeyPatch(
                    f'nova.db.main.api.{name}',
                    _counting(calls, name, getattr(db, name)),
                )
            )
        self._rounds = [
            _time(adopter.save) for _ in range(SAVED // adoption.AT_A_TIME)
        ]
        self._calls = dict(calls)
        self._ours = sum(self._rounds) / SAVED
        # What Nova does at its start where it has a default to register.
        self._nova = _time(self.register, instances) / SAVED

    def instance(self, admin):
        instance = objects.Instance(
            admin,
            project_id='p',
            host='one',
            system_metadata={f'image_{name}': 'x' for name in range(12)},
        )
        instance.create()
        return instance

    def register(self, instances):
        for instance in instances:
            instance.system_metadata['image_hw_machine_type'] = 'pc'
            instance.save()


def _counting(calls, name, function):
    def counting(*args, **kwargs):
        calls[name] += 1
        return function(*args, **kwargs)

    return counting


def _run(bench):
    result = bench.defaultTestResult()
    bench.run(result)
    if not result.wasSuccessful():
        raise RuntimeError(str(result.errors or result.failures))
    return bench


def _time(function, *args):
    gc.collect()
    begin = time.perf_counter()
    function(*args)
    return time.perf_counter() - begin


def figures():
    """Measure."""
    bench, database = _run(_Bench()), _run(_Database())
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
        measure.Figure(
            what='calls of the database to save a record',
            value=sum(database._calls.values()) / SAVED,
            goal=GOAL_CALLS,
        ),
        measure.Figure(
            what='guests whose records are saved in a minute',
            value=SAVED / len(database._rounds),
            goal=GOAL_ROUND,
            digits=0,
        ),
        measure.Figure(
            what="  a record / what Nova's start itself may save",
            value=database._ours / database._nova,
        ),
    ]
