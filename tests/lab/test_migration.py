# SPDX-License-Identifier: Apache-2.0
"""Live migration of real guests, from one emulated host to another."""

import concurrent.futures
import contextlib
import json
import os
import shutil
import socket
import sys
import typing

import fixtures
from testtools import content as tt_content

from tests.lab import base
from tests.lab import exception
from tests.lab import fixture
from tests.lab import lab
from tests.lab import migrate_guest
from tests.lab import spec as lab_spec
from tests import sets

_MODULE = 'tests.lab.migrate'
_SOURCE, _DESTINATION = migrate_guest.ADDRESSES
_HOSTS = {
    # TCG's processor has no AVIC: the module takes the parameter by force.
    _SOURCE: lab_spec.LabSpec(
        hostname=_SOURCE,
        address=migrate_guest.ADDRESSES[_SOURCE],
        cpus=1,
        memory_mib=2048,
        module_params=('kvm_amd.avic=1', 'kvm_amd.force_avic=1'),
    ),
    _DESTINATION: lab_spec.LabSpec(
        hostname=_DESTINATION,
        address=migrate_guest.ADDRESSES[_DESTINATION],
        cpus=1,
        memory_mib=2048,
        module_params=('kvm_amd.avic=0', 'kvm_amd.nested=0'),
    ),
}
_BASELINE = sets.BASELINE
# What it makes a guest read.
_READ = {
    '0x40000000': ['0x40000005', '0x7263694d', '0x666f736f', '0x76482074'],
    '0x40000003': ['0x00000aff', '0x00000030', '0x00000000', '0x00080108'],
    '0x40000004': ['0x00000c2c', '0x00001fff', '0x00000000', '0x00000000'],
}

_Found = dict[str, typing.Any]


def _no_libvirtd() -> str | None:
    """Say why there can be no migration, or None; as missing_tool()."""
    sbin = os.pathsep.join((os.environ.get('PATH', ''), '/usr/sbin'))
    if os.environ.get('CI') == 'true' or shutil.which('libvirtd', path=sbin):
        return None
    return "libvirtd is missing; install the Debian package 'libvirt-daemon'"


class MigrationTestCase(base.LabTestCase):
    """Two boots, between which all guests migrate, or do not."""

    found: _Found = {}

    def setUp(self) -> None:
        super().setUp()
        reason = _no_libvirtd()
        if reason:
            self.skipTest(reason)
        if not self.found:
            try:
                type(self).found = self._run()
            except (AssertionError, exception.LabError) as err:
                # The others would only wait for the same again.
                type(self).found = {'failed': str(err)}
        if 'failed' in self.found:
            self.fail(self.found['failed'])

    def guest(self, name: str) -> _Found:
        found: _Found = self.found[name]
        self.addDetail(
            name, tt_content.text_content(json.dumps(found, indent=1))
        )
        return found

    def _run(self) -> _Found:
        """Run the module in both labs, and return what the source printed."""
        labs = {
            name: self.useFixture(fixture.LabFixture(spec))
            for name, spec in _HOSTS.items()
        }
        with contextlib.ExitStack() as stack:
            ends = [stack.enter_context(end) for end in socket.socketpair()]
            pool = stack.enter_context(
                concurrent.futures.ThreadPoolExecutor(len(labs))
            )
            runs = {
                name: pool.submit(
                    labs[name].run,
                    [sys.executable, '-W', 'ignore', '-m', _MODULE, name],
                    link=end,
                )
                for name, end in zip(labs, ends, strict=True)
            }
        results = {name: run.result() for name, run in runs.items()}
        failed = [
            f'{name}: {result.stderr.decode(errors="replace")}'
            for name, result in results.items()
            if result.returncode
        ]
        if failed:
            raise AssertionError('\n'.join(failed))
        found: _Found = json.loads(results[_SOURCE].stdout)
        return found

    def assert_moved(self, found: _Found) -> None:
        """Check that a guest runs on over there, and sees no difference."""
        moved = found['libvirt']
        self.assertEqual('', moved['error'])
        self.assertEqual([_DESTINATION], moved['where'])
        self.assertFalse(moved['untouched'])
        self.assertEqual(moved['before'], moved['after'])
        # Every round read the same, also the one that was under way.
        self.assertEqual(
            [migrate_guest.read(moved['across'])], moved['before']['rounds']
        )

    def assert_stayed(self, found: _Found) -> None:
        """Check that libvirt failed, and the guest runs on where it was."""
        stayed = found['libvirt']
        self.assertNotEqual('', stayed['error'])
        self.assertEqual([_SOURCE], stayed['where'])
        self.assertEqual(stayed['before']['xml'], stayed['after']['xml'])

    def assert_refused(self, found: _Found, *words: str) -> None:
        """Check that we refuse, for one reason and before anything is done."""
        ours = found['ours']
        self.assertEqual(1, len(ours['obstacles']), ours)
        for word in words:
            self.assertIn(word, ours['obstacles'][0])
        self.assertTrue(ours['untouched'])

    def test_baseline_arrives_unchanged(self) -> None:
        found = self.guest('baseline')

        self.assertEqual(_BASELINE, set(found['asked']))
        self.assertEqual([], found['ours']['obstacles'])
        self.assert_moved(found)
        (leaves,) = found['libvirt']['after']['rounds']
        self.assertEqual(_READ, {leaf: leaves[leaf] for leaf in _READ})
        hyperv, clock = found['libvirt']['after']['xml']
        self.assertIn('<spinlocks state="on" retries="8191"/>', hyperv)
        self.assertIn('<timer name="hypervclock" present="yes"/>', clock)

    def test_avic_moves_where_only_its_benefit_is_lost(self) -> None:
        found = self.guest('performance')

        self.assertEqual(_BASELINE | {'avic'}, set(found['asked']))
        self.assertEqual([], found['ours']['obstacles'])
        self.assert_moved(found)

    def test_passthrough(self) -> None:
        found = self.guest('passthrough')

        self.assert_refused(found, "mode='passthrough'")
        self.assert_stayed(found)
        # Here QEMU says so as early, on the source.
        self.assertIn(
            "'hv-passthrough' CPU flag prevents migration",
            found['libvirt']['error'],
        )
        self.assertTrue(found['libvirt']['untouched'])

    def test_nested_is_refused_before_the_destination_starts_qemu(
        self,
    ) -> None:
        found = self.guest('nested')

        self.assert_refused(
            found, "'emsr_bitmap'", 'it needs nested virtualization'
        )
        self.assertIn('emsr_bitmap', found['ours']['recorded'])
        (leaves,) = found['libvirt']['before']['rounds']
        self.assertEqual('0x00080000', leaves['0x4000000a'][0])
        # libvirt finds out by the CPU of a guest that it has started there.
        self.assert_stayed(found)
        self.assertIn('missing features: svm', found['libvirt']['error'])
        self.assertFalse(found['libvirt']['untouched'])
        self.assertIn('hv-emsr-bitmap=on', found['log'])
        whole = self.found['baseline']['libvirt']['sent']
        self.assertLess(found['libvirt']['sent'], whole / 10)

    def test_reenlightenment_is_refused_before_all_memory_has_moved(
        self,
    ) -> None:
        found = self.guest('unpinned')

        self.assert_refused(found, "'reenlightenment'", 'pinned TSC')
        self.assert_stayed(found)
        # libvirt does not always pass on what QEMU says over there.
        self.assertIn(
            "Guest enabled re-enlightenment notifications, 'tsc-frequency=' "
            'has to be specified',
            found['log'],
        )
        # The CPU's state comes after all memory. What QEMU would have sent
        # after it, it may or may not get rid of.
        self.assertIn(
            "error while loading state for instance 0x0 of device 'cpu'",
            found['log'],
        )
        whole = self.found['baseline']['libvirt']['sent']
        self.assertGreater(found['libvirt']['sent'], whole / 2)

    def test_reenlightenment_with_a_pinned_tsc_moves(self) -> None:
        found = self.guest('pinned')

        self.assertEqual([], found['ours']['obstacles'])
        self.assert_moved(found)
        self.assertIn('tsc-frequency=', found['log'])

    def test_the_set_of_another_vendor_is_refused(self) -> None:
        found = self.guest('intel')

        self.assert_refused(found, "'evmcs'")
        # QEMU there, with what comes first of an incoming migration.
        self.assertIn('(hv-evmcs) is not supported by kernel', found['start'])

    def test_guest_verify_with_a_daemon(self) -> None:
        found = self.guest('verify')

        shown = {row['name'] for row in found['rows'] if row['shown'] == 'yes'}
        self.assertEqual((0, _BASELINE), (found['code'], shown))


class LinkTestCase(base.LabTestCase):
    """Two labs that nobody could connect; needs no boot."""

    def test_spec_refuses_what_is_no_address(self) -> None:
        for words in ({'address': '192.0.2'}, {'hostname': 'a b'}):
            self.assertRaises(exception.InvalidSpec, lab_spec.LabSpec, **words)

    def test_run_wants_an_address_and_a_link(self) -> None:
        out = self.useFixture(fixtures.TempDir()).path
        end, other = socket.socketpair()
        self.addCleanup(end.close)
        self.addCleanup(other.close)

        for spec, link in ((_HOSTS[_SOURCE], None), (None, end)):
            self.assertRaises(
                exception.InvalidSpec,
                lab.Lab(spec).run,
                ['true'],
                outdir=out,
                link=link,
            )
