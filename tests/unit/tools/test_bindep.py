# SPDX-License-Identifier: Apache-2.0

import pathlib
import re

import testtools

TOP = pathlib.Path(__file__).parents[3]
#: Packages that debian/control names by what they provide.
PROVIDERS = {
    'debhelper-compat': 'debhelper',
    'dh-sequence-python3': 'dh-python',
}


class TestBindep(testtools.TestCase):
    """The system packages that CI installs."""

    def test_package_profile_builds_the_debian_package(self):
        control = (TOP / 'debian/control').read_text()
        field = re.search(r'^Build-Depends:((?:.*\n )*.*)', control, re.M)[1]
        wanted = {each.split()[0] for each in field.split(',') if each.strip()}
        listed = re.findall(
            r'^(\S+) \[platform:dpkg package\]$',
            (TOP / 'bindep.txt').read_text(),
            re.M,
        )
        self.assertEqual(
            {PROVIDERS.get(name, name) for name in wanted} | {'dpkg-dev'},
            set(listed),
        )
