# SPDX-License-Identifier: Apache-2.0
"""What the tests on real libvirt share that need no Nova."""

import os

import fixtures
import testtools

from tests.real import embedded


def require(test, reason):
    """Skip a test, but on CI, which must have all that it needs.

    :param reason: what it lacks, None where it lacks nothing
    """
    if not reason:
        return
    if os.environ.get('CI') == 'true':
        test.fail(f'CI must have what this test needs: {reason}')
    # A developer's machine may lack QEMU or libvirt, and says so.
    test.skipTest(reason)


class Borrowed:
    """An open connection that whoever gets it cannot close.

    libvirt registers its embedded driver anew for each connection that is
    opened, and runs out of places after some twenty in a process ("Too many
    drivers"). So the tests of a process share one.
    """

    def __init__(self, connection):
        self._connection = connection

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def close(self):
        return 0


class DriverCase(testtools.TestCase):
    """Has this process's embedded libvirt."""

    def setUp(self):
        super().setUp()
        reason = None
        try:
            self.driver = embedded.get()
        except embedded.Unavailable as err:
            reason = str(err)
        require(self, reason)
        self.addCleanup(self.driver.clear)


class EmbeddedCase(DriverCase):
    """Lets the program have this process's embedded libvirt."""

    def setUp(self):
        super().setUp()
        self.useFixture(
            fixtures.MonkeyPatch(
                'libvirt.open', lambda uri: Borrowed(self.driver.connection)
            )
        )
