# SPDX-License-Identifier: Apache-2.0

"""What a release is: an sdist, and the wheel that is built from it."""

import pathlib
import shutil
import sys
import tarfile
import zipfile

import testtools

from tests.install import environment

TAG = '4.5.6'
#: What a distributor needs beside the package.
WANTED = (
    'LICENSE',
    'debian/rules',
    'doc/source/conf.py',
    'etc/nova_hyperv_enlight/config-generator.conf',
    'nova_hyperv_enlight/guest/cpuid.S',
    'releasenotes/source/conf.py',
    'tests/unit/base.py',
    'tox.ini',
)


class ReleaseTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        if not shutil.which('git'):
            self.skipTest('there is no git')
        self.source = environment.copy_tree()
        for arguments in (
            ('init', '--quiet'),
            ('add', '--all'),
            ('commit', '--quiet', '--message', 'A release'),
            ('tag', TAG),
        ):
            environment.run(
                *('git', '-C', self.source),
                *('-c', 'user.name=A', '-c', 'user.email=a@invalid'),
                *arguments,
            )

    def test_both(self):
        environment.run(sys.executable, '-m', 'build', self.source)

        dist = self.source / 'dist'
        name = f'nova_hyperv_enlight-{TAG}'
        self.assertEqual(
            {f'{name}.tar.gz', f'{name}-py3-none-any.whl'},
            {path.name for path in dist.iterdir()},
        )
        with tarfile.open(dist / f'{name}.tar.gz') as sdist:
            inside = sdist.getnames()
        self.assertEqual(
            [], [path for path in WANTED if f'{name}/{path}' not in inside]
        )
        # Built from the sdist, the wheel is what a checkout gives.
        self.assertEqual(
            self.package(environment.wheel()),
            self.package(dist / f'{name}-py3-none-any.whl'),
        )

    def package(self, wheel):
        """Return the files of a wheel, with their contents."""
        with zipfile.ZipFile(wheel) as archive:
            return {
                path: archive.read(path)
                for path in archive.namelist()
                if pathlib.PurePath(path).parts[0] == 'nova_hyperv_enlight'
            }
