# SPDX-License-Identifier: Apache-2.0
"""The proof on hosts of Debian releases: what is asked for is shown.

Each class boots one machine with the libvirt, QEMU, kernel and Python of a
release, in which the program looks into a guest for each set there is.
"""

from tests.hosts import base
from tests import sets

_ALL = frozenset(sets.PUBLISHED)


class _Tests(base.ReleaseTestCase):
    """All that there is to ask.

    :cvar HOST_MODEL: whether its libvirt has that mode.
    """

    HOST_MODEL = False

    def test_profiles(self) -> None:
        for profile, names in (
            ('none', set()),
            ('minimal', sets.MINIMAL),
            ('baseline', sets.BASELINE),
            ('performance', sets.PERFORMANCE),
            ('nested', sets.NESTED),
        ):
            self.assert_shown(profile, set(names))

    def test_each(self) -> None:
        shown = self.named('each', 'shown', 'yes')
        self.assertEqual(_ALL - self.LACKS, shown)

    def test_each_one_of_baseline_can_be_off(self) -> None:
        for name in sets.BASELINE:
            run = f'without {name}'
            asked = self.named(run, 'asked', 'yes')
            self.assertLess(asked, sets.BASELINE)
            self.assertNotIn(name, asked)
            self.assert_shown(run, asked)

    def test_passthrough(self) -> None:
        shown = self.named('passthrough', 'shown', 'yes')
        self.assertEqual(0, self.found['passthrough']['code'])
        self.assertLessEqual(sets.BASELINE - {'spinlocks'}, shown)

    def test_host_model(self) -> None:
        run = self.found['host-model']
        if self.HOST_MODEL:
            self.assertEqual(0, run['code'], run['err'])
            shown = self.named('host-model', 'shown', 'yes')
            self.assertLessEqual(sets.BASELINE - {'spinlocks'}, shown)
        else:
            self.assertEqual((2, []), (run['code'], run['rows']))
            self.assertIn('11.9', ' '.join(run['err']))


# TCG has no VMX; that the AVIC bit is shown needs none of the processor's.
class TrixieTestCase(_Tests):
    """libvirt 11.3, QEMU 10.0, Linux 6.12, Python 3.13."""

    HOST = 'trixie'
    LACKS = frozenset(('evmcs',))


class SidTestCase(_Tests):
    """What there is today; libvirt 12.8, QEMU 11.1, Linux 7.2 in 2026-11."""

    HOST = 'sid'
    LACKS = frozenset(('evmcs',))
    HOST_MODEL = True


# It is no test case of its own.
del _Tests
