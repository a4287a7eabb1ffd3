# SPDX-License-Identifier: Apache-2.0

import json
import pathlib
import subprocess
import sys

import fixtures
import testtools

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import request

TOP = pathlib.Path(__file__).parents[3]
SHIPPED = TOP / 'etc/nova_hyperv_enlight/metadefs'
SOURCES = {
    'hyperv-enlightenments-image.json': request.Source.IMAGE,
    'hyperv-enlightenments-flavor.json': request.Source.FLAVOR,
}


def values(described):
    """Yield texts that a property's description allows."""
    yield from described.get('enum', ())
    if described['type'] == 'integer':
        yield str(described['minimum'])
        yield str(described['maximum'])
    elif 'maxLength' in described:
        yield 'a' * described['minLength']
        yield 'a' * described['maxLength']


def beyond(described):
    """Yield texts that it does not allow."""
    if described['type'] == 'integer':
        yield str(described['minimum'] - 1)
        yield str(described['maximum'] + 1)
    elif 'maxLength' in described:
        yield 'a' * (described['maxLength'] + 1)
    else:
        yield 'bogus'


class TestMetadefs(testtools.TestCase):
    def test_shipped_files_are_up_to_date(self):
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

        subprocess.run(
            [sys.executable, TOP / 'tools/metadefs.py', folder],
            check=True,
            timeout=50,
        )

        self.assertEqual(
            {path.name: path.read_text() for path in folder.iterdir()},
            {path.name: path.read_text() for path in SHIPPED.iterdir()},
            'Run "tox -e genmetadefs" and commit what it writes.',
        )

    def read(self, name):
        """Return each property's description by its whole name."""
        namespace = json.loads((SHIPPED / name).read_text())
        prefixes = {
            one['prefix'] for one in namespace['resource_type_associations']
        }
        self.assertEqual(1, len(prefixes))
        (prefix,) = prefixes
        return {
            prefix + word: described
            for word, described in namespace['properties'].items()
        }

    def test_all_that_is_described_is_read(self):
        for name, source in SOURCES.items():
            described = self.read(name)
            self.assertEqual(
                1
                + len(enlightenments.ENLIGHTENMENTS)
                + len(enlightenments.VALUES),
                len(described),
            )
            for key, one in described.items():
                for text in values(one):
                    overrides = request.read_overrides(source, {key: text})
                    self.assertTrue(
                        overrides.profile or overrides.features, key
                    )

    def test_what_is_not_described_is_refused(self):
        for name, source in SOURCES.items():
            for key, one in self.read(name).items():
                if key.endswith('profile'):
                    # Profiles of the operator's own may be added.
                    self.assertEqual(list(profiles.PROFILES), one['enum'])
                    continue
                for text in beyond(one):
                    self.assertRaises(
                        exception.InvalidRequest,
                        request.read_overrides,
                        source,
                        {key: text},
                    )
