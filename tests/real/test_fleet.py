# SPDX-License-Identifier: Apache-2.0
"""``fleet check`` on a real libvirt: its test driver, which needs nothing."""

import contextlib
import io
import json
import logging
import pathlib

import fixtures
import testtools

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.cmd import main

_NODE = """
<node>
  <domain type='test'>
    <name>windows</name>
    <memory unit='MiB'>16</memory>
    <vcpu>1</vcpu>
    <os><type arch='x86_64'>hvm</type></os>
    <features>
      <hyperv>
        <relaxed state='on'/>
        <vpindex state='on'/>
        <synic state='on'/>
        <reset state='off'/>
      </hyperv>
    </features>
  </domain>
</node>
"""


class FleetTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        # cliff adds handlers for its streams, and never takes them away.
        root = logging.getLogger()
        self.addCleanup(setattr, root, 'handlers', list(root.handlers))
        self._directory = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path
        )
        node = self._directory / 'node.xml'
        node.write_text(_NODE)
        self._uri = f'test://{node}'

    def document(self, *names):
        """Save the document of a host that offers these names."""
        path = self._directory / 'destination.json'
        path.write_text(
            json.dumps(
                [
                    {'name': name, 'offered': 'yes' if name in names else 'no'}
                    for name in enlightenments.ENLIGHTENMENTS
                ]
            )
        )
        return str(path)

    def check(self, *argv):
        """Return the exit code, the names in the way, and what is said."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main.main(['fleet', 'check', *argv, '-f', 'json'])
        rows = json.loads(out.getvalue() or '[]')
        return code, [row['name'] for row in rows], err.getvalue()

    def test_a_guest(self):
        poor = self.document('relaxed', 'vpindex')

        found = self.check(self._uri, poor, '--domain', 'windows')

        self.assertEqual((3, ['synic']), found[:2], found)
        self.assertIn(f'windows would not migrate from {self._uri}', found[2])

    def test_a_guest_that_would(self):
        rich = self.document(*enlightenments.ENLIGHTENMENTS)

        found = self.check(self._uri, rich, '--domain', 'windows')

        self.assertEqual((0, []), found[:2], found)

    def test_no_guest(self):
        code, _, said = self.check(
            self._uri, self.document('relaxed'), '--domain', 'linux'
        )

        self.assertEqual(2, code)
        self.assertIn("The domain 'linux' cannot be read: ", said)

    def test_a_libvirt_without_kvm(self):
        code, names, _ = self.check(
            self.document('relaxed', 'vapic', 'hypervclock'), self._uri
        )

        self.assertEqual(
            (3, ['relaxed', 'vapic', 'hypervclock']), (code, names)
        )
