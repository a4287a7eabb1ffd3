# SPDX-License-Identifier: Apache-2.0

"""nova-hyperv-enlight-status with the real Nova and a real libvirt."""

import json
import pathlib
import subprocess
import sys
import tempfile

from nova import test

SCRIPT = """
import sys
from nova_hyperv_enlight.cmd import status
sys.exit(status.main())
"""
# libvirt's test driver: it has a guest, and needs no daemon.
CONF = """
[DEFAULT]
compute_driver = {driver}
non_inheritable_image_properties = cache_in_nova,hyperv_enlight
[libvirt]
connection_uri = test:///default
[hyperv_enlight]
{options}
"""


class StatusTestCase(test.NoDBTestCase):
    def check(self, driver='hyperv_enlight.LibvirtDriver', options=''):
        """Run the program; return its exit code and the results."""
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, 'nova.conf')
            path.write_text(CONF.format(driver=driver, options=options))
            done = subprocess.run(
                [sys.executable, '-c', SCRIPT, '--config-file', path]
                + ['upgrade', 'check', '--json'],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        found = json.loads(done.stdout)
        return done.returncode, {
            check['check']: check['result'] for check in found['checks']
        }

    def test_success(self):
        code, found = self.check()

        self.assertEqual(0, code)
        self.assertEqual({0}, set(found.values()))
        self.assertEqual(9, len(found))

    def test_warning(self):
        code, found = self.check('libvirt.LibvirtDriver')

        self.assertEqual(1, code)
        self.assertEqual(1, found.pop('Compute driver'))
        self.assertEqual({0}, set(found.values()))

    def test_failure(self):
        code, found = self.check(options='hooks = hyperv,absent')

        self.assertEqual(2, code)
        self.assertEqual(2, found.pop('Hooks'))
        self.assertEqual({0}, set(found.values()))
