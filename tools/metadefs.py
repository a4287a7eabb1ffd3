# SPDX-License-Identifier: Apache-2.0

"""Write Glance's metadata definitions of the plugin's properties.

One file for images and one for flavors, as their names are spelt differently.
``glance-manage db_load_metadefs --path FOLDER`` loads them; Horizon and
``openstack image metadef`` show them. The format is that of the files in
Glance's own etc/metadefs.
"""

import argparse
import json
import pathlib
import sys
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.policy import request

#: Where the files are kept.
FOLDER = pathlib.Path(__file__).parents[1] / 'etc/nova_hyperv_enlight/metadefs'
_TEXT = (
    'Paravirtual interfaces that KVM offers to Windows guests. They have an '
    'effect on servers whose image has os_type=windows.'
)


def _profile() -> dict[str, typing.Any]:
    summaries = ' '.join(
        f'{name}: {profile.summary}'
        for name, profile in profiles.PROFILES.items()
    )
    return {
        'title': 'Profile',
        'description': f'The set of enlightenments to start from. {summaries}',
        'type': 'string',
        'enum': list(profiles.PROFILES),
    }


def _state(entry: model.Enlightenment) -> dict[str, typing.Any]:
    return {
        'title': entry.name,
        'description': entry.summary,
        'type': 'string',
        'enum': ['on', 'off'],
    }


def _value(name: str, entry: model.Enlightenment) -> dict[str, typing.Any]:
    value = entry.value
    assert value is not None
    described: dict[str, typing.Any] = {
        'title': name,
        'description': f'Turns {entry.name} on with this value: '
        f'{value.allowed}.',
    }
    if isinstance(value, model.IntegerValue):
        return described | {
            'type': 'integer',
            'minimum': value.minimum,
            'maximum': value.maximum,
        }
    assert isinstance(value, model.TextValue)
    return described | {
        'type': 'string',
        'minLength': 1,
        'maxLength': value.max_length,
        'pattern': f'^{value.pattern}$',
    }


def _properties() -> dict[str, dict[str, typing.Any]]:
    """Describe each property by the catalogue's word for it."""
    states = {
        name: _state(entry)
        for name, entry in enlightenments.ENLIGHTENMENTS.items()
    }
    values = {
        name: _value(name, entry)
        for name, entry in enlightenments.VALUES.items()
    }
    return {'profile': _profile()} | states | values


def _namespace(
    kind: str,
    resources: list[dict[str, str]],
    properties: dict[str, dict[str, typing.Any]],
) -> dict[str, typing.Any]:
    return {
        'namespace': f'OS::Compute::HyperVEnlightenments{kind}',
        'display_name': f'Hyper-V enlightenments ({kind.lower()}s)',
        'description': _TEXT,
        'visibility': 'public',
        'protected': True,
        'resource_type_associations': resources,
        'properties': properties,
    }


def namespaces() -> dict[str, dict[str, typing.Any]]:
    """Return each file's namespace by the file's name."""
    properties = _properties()
    image = {'name': 'OS::Glance::Image', 'prefix': request.PROPERTY_PREFIX}
    # A volume hands them on to the servers that boot from it.
    volume = {
        'name': 'OS::Cinder::Volume',
        'prefix': request.PROPERTY_PREFIX,
        'properties_target': 'image',
    }
    flavor = {'name': 'OS::Nova::Flavor', 'prefix': request.SPEC_PREFIX}
    return {
        'hyperv-enlightenments-image.json': _namespace(
            'Image',
            [image, volume],
            {
                request.image_spelling(name): described
                for name, described in properties.items()
            },
        ),
        'hyperv-enlightenments-flavor.json': _namespace(
            'Flavor', [flavor], properties
        ),
    }


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument(
        'folder',
        nargs='?',
        type=pathlib.Path,
        default=FOLDER,
        help='where the files are written (default: %(default)s)',
    )
    folder = parser.parse_args(argv).folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, namespace in namespaces().items():
        (folder / name).write_text(f'{json.dumps(namespace, indent=2)}\n')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
