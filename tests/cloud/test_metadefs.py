# SPDX-License-Identifier: Apache-2.0
"""Glance loads the metadata definitions, and shows them."""

import json
import pathlib

from tests.cloud import base

_FOLDER = (
    pathlib.Path(__file__).parents[2] / 'etc/nova_hyperv_enlight/metadefs'
)


class MetadefsTestCase(base.CloudTestCase):
    def test_glance_shows_what_was_loaded(self) -> None:
        self.cloud.glance_manage('db_load_metadefs', str(_FOLDER))

        image = self.client.image
        for path in _FOLDER.iterdir():
            loaded = json.loads(path.read_text())
            name = loaded['namespace']
            self.assertTrue(image.get_metadef_namespace(name).is_protected)
            found = {one.name: one for one in image.metadef_properties(name)}
            self.assertEqual(set(loaded['properties']), set(found))
            for word, described in loaded['properties'].items():
                self.assertEqual(described['type'], found[word].type)
                self.assertEqual(described.get('enum'), found[word].enum)
            self.assertEqual(
                {
                    (one['name'], one['prefix'])
                    for one in loaded['resource_type_associations']
                },
                {
                    (one.name, one.prefix)
                    for one in image.metadef_resource_type_associations(name)
                },
            )
