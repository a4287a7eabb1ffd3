# SPDX-License-Identifier: Apache-2.0

import contextlib
import dataclasses
import io
import json

import ddt
from oslo_config import cfg

from nova_hyperv_enlight.conf import hyperv_enlight
from nova_hyperv_enlight.conf import reader
from nova_hyperv_enlight.domains import findings
from nova_hyperv_enlight.domains import rules
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests import produced
from tests.unit import base
from tests.unit.domains import guests
from tests.unit.policy import cases


class RecorderTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.recorder = produced.Recorder()
        self.addCleanup(self.recorder.start())

    def find(self):
        """Return a finding that the package makes."""
        (found,) = rules.inspect(
            guests.make(virt_type='xen'), settings.Settings(), cases.HOST
        ).found
        return found

    def test_finding(self):
        self.find()

        self.assertEqual(
            {produced.FINDINGS: {'unknown-type'}}, self.recorder.produced
        )

    def test_own_objects_prove_nothing(self):
        found = self.find()
        self.recorder.produced.clear()

        findings.Finding(
            domain='one', kind=findings.HPET, name='hpet', text='text'
        )
        dataclasses.replace(found, kind=findings.HPET)
        decision.Decision(acts=False, profile=None, outcomes=())

        self.assertEqual({}, self.recorder.produced)

    def test_reasons(self):
        # No test before this one has it: decisions are remembered.
        asked = cases.make_request(os_type='of-test-reasons')
        resolve.resolve(settings.Settings(), asked, cases.HOST)

        self.assertEqual(
            {produced.REASONS: {'not-concerned'}}, self.recorder.produced
        )

    def test_options(self):
        conf = cfg.ConfigOpts()
        hyperv_enlight.register_opts(conf)
        conf([])
        reader.read(conf)
        self.assertEqual({}, self.recorder.produced)

        conf.set_override('vendor_id', 'other', 'hyperv_enlight')
        conf.set_override('hooks', ['hyperv'], 'hyperv_enlight')
        reader.read(conf)

        self.assertEqual(
            {produced.OPTIONS: {'vendor_id', 'hooks'}}, self.recorder.produced
        )

    def test_stop(self):
        stop = produced.Recorder().start()
        stop()
        self.find()

        self.assertEqual(
            {produced.FINDINGS: {'unknown-type'}}, self.recorder.produced
        )


@ddt.ddt
class MainTestCase(base.TestCase):
    """As after a run of two processes."""

    def setUp(self):
        super().setUp()
        self.directory = self.make_dir()

    def write(self, number, names):
        path = self.directory / f'produced-{number}.json'
        path.write_text(
            json.dumps({kind: sorted(each) for kind, each in names.items()})
        )

    def run_main(self, *arguments):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            code = produced.main([str(self.directory), *arguments])
        return code, out.getvalue().splitlines()

    def test_all(self):
        names = produced.declared()
        self.write(1, {produced.FINDINGS: names.pop(produced.FINDINGS)})
        self.write(2, names)

        self.assertEqual((0, []), self.run_main())

    @ddt.data(
        (produced.FINDINGS, 'hpet'),
        (produced.REASONS, 'not-known'),
        (produced.OPTIONS, 'verify_host'),
    )
    @ddt.unpack
    def test_one_lacks(self, kind, name):
        names = produced.declared()
        names[kind].remove(name)
        self.write(1, names)

        self.assertEqual(
            (1, [f'No unit test produces these {kind}: {name}.']),
            self.run_main(),
        )

    def test_nothing_was_recorded(self):
        code, lines = self.run_main()

        self.assertEqual((1, 3), (code, len(lines)))

    def test_some_tests_only(self):
        code, lines = self.run_main('tests.unit.conf')

        self.assertEqual(0, code)
        self.assertEqual(
            ['Only some tests have run: what they produce is not checked.'],
            lines,
        )

    def test_recorder_writes(self):
        recorder = produced.Recorder()
        recorder.produced[produced.FINDINGS].add('hpet')

        recorder.write(self.directory / 'new')

        (path,) = (self.directory / 'new').iterdir()
        self.assertEqual(
            {produced.FINDINGS: ['hpet']}, json.loads(path.read_text())
        )
