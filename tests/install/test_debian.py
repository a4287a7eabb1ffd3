# SPDX-License-Identifier: Apache-2.0

"""The Debian package, where the machine has what builds one; CI must."""

import os
import re
import shutil
import subprocess

import testtools

from tests.install import environment

# Debian's own Python builds it, whatever runs the tests.
PATH = '/usr/sbin:/usr/bin:/sbin:/bin'


def why_not():
    """Say why there can be no package here, None where there can."""
    if not shutil.which('dpkg-checkbuilddeps', path=PATH):
        return 'dpkg-dev is not installed'
    done = subprocess.run(
        ['dpkg-checkbuilddeps', environment.TOP / 'debian' / 'control'],
        capture_output=True,
        env={'PATH': PATH},
        text=True,
    )
    return done.stderr.strip() or None


class DebianTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        reason = why_not()
        if reason and os.environ.get('CI') == 'true':
            self.fail(f'CI must have what builds the package: {reason}')
        if reason:
            self.skipTest(reason)
        source = environment.copy_tree()
        environment.run(
            *('sh', '-c', f'cd {source} && exec dpkg-buildpackage -b -us -uc'),
            PATH=PATH,
        )
        (self.package,) = source.parent.glob('*.deb')

    def test_package(self):
        listed = environment.run('dpkg-deb', '--contents', self.package)
        files = set(re.findall(r' \./(.*[^/\n])$', listed, re.M))

        package = environment.TOP / 'nova_hyperv_enlight'
        self.assertEqual(
            {
                f'usr/lib/python3/dist-packages/{path}'
                for path in (
                    found.relative_to(environment.TOP)
                    for found in package.rglob('*')
                    if found.is_file() and '__pycache__' not in found.parts
                )
            },
            {path for path in files if '/nova_hyperv_enlight/' in path},
        )
        for name in ('nova-hyperv-enlight', 'nova-hyperv-enlight-status'):
            self.assertIn(f'usr/bin/{name}', files)
            self.assertIn(f'usr/share/man/man1/{name}.1.gz', files)
        self.assertEqual([], [path for path in files if '/tests/' in path])
        depends = environment.run(
            'dpkg-deb', '--field', self.package, 'Depends'
        )
        for name in ('python3-cliff', 'python3-lxml', 'python3-stevedore'):
            self.assertIn(name, depends)
        self.assertNotIn('nova', depends)
