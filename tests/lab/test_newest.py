# SPDX-License-Identifier: Apache-2.0
"""The newest host there is: what ``make hosts`` proves whole, in short."""

from tests.hosts import base
from tests import sets


class NewestTestCase(base.ReleaseTestCase):
    """Debian sid: the newest libvirt, QEMU, kernel and Python."""

    HOST = 'sid'
    RUNS = ('baseline', 'nested')
    # TCG has no VMX.
    LACKS = frozenset(('evmcs',))

    def test_baseline(self) -> None:
        self.assert_shown('baseline', set(sets.BASELINE))

    def test_nested(self) -> None:
        self.assert_shown('nested', set(sets.NESTED))
