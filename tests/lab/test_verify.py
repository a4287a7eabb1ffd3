# SPDX-License-Identifier: Apache-2.0
"""``guest verify`` on a host whose KVM emulates Hyper-V."""

import json
import sys
import typing

import testtools

from tests.lab import base
from tests.lab import exception
from tests.lab import fixture
from tests.lab import spec as lab_spec
from tests import sets

_MODULE = 'tests.lab.verify_guests'
# The package's own lists, written down: what libvirt 9.0 and QEMU 7.2 on AMD
# can show, and what they cannot.
_BASELINE = sets.BASELINE
_SHOWN = _BASELINE | {'vendor_id', 'reenlightenment', 'avic'}
_TOO_NEW = {'emsr_bitmap', 'xmm_input'}
# libvirt 9.0 passes over elements that it does not know below <tlbflush>.
_PASSED_OVER = {'tlbflush.direct', 'tlbflush.extended'}

_Run = dict[str, typing.Any]


def _run(test: testtools.TestCase, *argv: str, **spec: typing.Any) -> _Run:
    """Run the module in the lab, and return what it printed."""
    full_host = test.useFixture(
        fixture.SharedLabFixture(lab_spec.LabSpec(**spec))
    )
    result = full_host.run(
        [sys.executable, '-W', 'ignore', '-m', _MODULE, *argv]
    )
    if result.returncode:
        raise AssertionError(result.stderr.decode(errors='replace'))
    found: _Run = json.loads(result.stdout)
    return found


def _named(run: _Run, column: str, value: str) -> set[str]:
    return {row['name'] for row in run['rows'] if row[column] == value}


class VerifyTestCase(base.LabTestCase):
    """One boot, in which the program runs many times."""

    found: _Run = {}

    def setUp(self) -> None:
        super().setUp()
        if not self.found:
            try:
                type(self).found = _run(self)
            except (AssertionError, exception.LabError) as err:
                # The others would only wait for the same again.
                type(self).found = {'failed': str(err)}
        if 'failed' in self.found:
            self.fail(self.found['failed'])

    def run_of(self, name: str, code: int) -> _Run:
        found: _Run = self.found[name]
        self.assertEqual(code, found['code'], found['err'])
        return found

    def test_baseline_is_shown(self) -> None:
        run = self.run_of('baseline', 0)

        self.assertEqual([], run['err'])
        self.assertEqual(_BASELINE, _named(run, 'asked', 'yes'))
        self.assertEqual(_BASELINE, _named(run, 'shown', 'yes'))

    def test_none_shows_nothing(self) -> None:
        run = self.run_of('none', 0)

        self.assertEqual(set(), _named(run, 'asked', 'yes'))
        self.assertEqual(set(), _named(run, 'shown', 'yes'))

    def test_nested_lacks_what_this_host_lacks(self) -> None:
        run = self.run_of('nested', 3)

        asked = _named(run, 'asked', 'yes')
        lacking = _TOO_NEW | _PASSED_OVER | {'evmcs'}
        self.assertEqual(_BASELINE | {'avic'} | lacking, asked)
        self.assertEqual(lacking, asked & _named(run, 'shown', 'no'))
        for name in lacking:
            self.assertIn(name, ' '.join(run['err']))

    def test_passthrough_is_left_to_the_host(self) -> None:
        run = self.run_of('passthrough', 0)

        self.assertEqual({'hypervclock'}, _named(run, 'asked', 'yes'))
        # It shows all that KVM has, also what libvirt cannot name.
        shown = _named(run, 'shown', 'yes')
        self.assertLessEqual(_SHOWN - {'spinlocks', 'vendor_id'}, shown)

    def test_switching_one_off_takes_exactly_its_bits_away(self) -> None:
        whole = self.run_of('baseline bits', 0)
        less = self.run_of('without stimer bits', 0)

        def bits(run: _Run) -> set[tuple[str, ...]]:
            return {tuple(row.values()) for row in run['rows']}

        gone = {row[3]: row[:3] for row in bits(whole) - bits(less)}
        self.assertEqual(
            {
                'AccessSyntheticTimerRegs': ('0x40000003', 'EAX', '3'),
                'DirectSyntheticTimers': ('0x40000003', 'EDX', '19'),
            },
            gone,
        )
        self.assertEqual(set(), bits(less) - bits(whole))

    def test_vendor(self) -> None:
        run = self.run_of('vendor', 0)

        self.assertEqual({'relaxed', 'vendor_id'}, _named(run, 'shown', 'yes'))

    def test_what_libvirt_refuses_is_passed_on(self) -> None:
        run = self.run_of('too new', 2)

        self.assertEqual(
            [
                'The guest could not be verified: unsupported configuration: '
                'unsupported HyperV Enlightenment feature: xmm_input'
            ],
            run['err'],
        )

    def test_a_guest_that_is_there_is_only_read(self) -> None:
        run = self.run_of('domain', 0)

        asked = {'relaxed', 'vapic', 'spinlocks', 'vpindex', 'hypervclock'}
        self.assertEqual(asked, _named(run, 'asked', 'yes'))
        self.assertEqual(asked, _named(run, 'shown', 'yes'))
        self.assertEqual({'unchanged': True}, self.found['somebody'])

    def test_each(self) -> None:
        run = self.run_of('each', 3)

        self.assertEqual(_SHOWN, _named(run, 'shown', 'yes'))
        self.assertEqual(
            _TOO_NEW | {'evmcs'},
            _named(run, 'shown', 'no guest starts with it'),
        )
        self.assertEqual(_PASSED_OVER, _named(run, 'shown', 'no'))

    def test_host_show(self) -> None:
        run = self.run_of('host', 0)

        self.assertEqual(_SHOWN, _named(run, 'shown to a guest', 'yes'))
        # Kernel and guests agree, bit by bit.
        self.assertNotIn('/dev/kvm', ' '.join(run['err']))

    def test_witness(self) -> None:
        found = self.found['witness']

        names = sorted(_TOO_NEW | _PASSED_OVER | {'evmcs'})
        self.assertEqual([], found['warnings'])
        self.assertEqual([names, names], found['answers'])
        # The second time it was remembered.
        first, second = found['seconds']
        self.assertLess(second, first / 10)

    def test_nothing_is_left(self) -> None:
        self.assertEqual(
            {'domains': ['somebody'], 'files': []}, self.found['left']
        )


class DeniedTestCase(base.LabTestCase):
    """On a host where /dev/kvm may not be opened."""

    def test_denied(self) -> None:
        found = _run(self, 'baseline', kvm_device=lab_spec.KvmDevice.DENIED)

        run = found['baseline']
        self.assertEqual((2, []), (run['code'], run['rows']))
        self.assertEqual(1, len(run['err']), run['err'])
        self.assertRegex(run['err'][0], '(?i)kvm')
        self.assertEqual({'domains': [], 'files': []}, found['left'])
