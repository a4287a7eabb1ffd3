# SPDX-License-Identifier: Apache-2.0

"""Checks how other people's programs are called: what concerns us of it."""

import argparse
import configparser
import importlib.metadata
import pathlib
import re

from nova.api.validation.extra_specs import validators
from nova.objects import image_meta
from packaging import requirements

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.policy import request
from tests.functional.docs import blocks

_PACKAGE = 'nova-hyperv-enlight'
_UNITS = ('devstack@n-cpu', 'nova-api', 'nova-compute')
_SERVERS = {'reboot': ('--hard',), 'show': ('-c',)}


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise AssertionError(message)


def flavor_property(key, value):
    """Check an extra spec as nova-api does, and a bit more."""
    if key.startswith('trait:' + model.TRAIT_PREFIX):
        known = {each.trait for each in enlightenments.ENLIGHTENMENTS.values()}
        assert key.removeprefix('trait:') in known, key
    # Nova takes any name without a colon, and reads deprecated ones only.
    assert ':' in key, key
    validators.validate(key, value)


def image_property(key, value):
    """Check that Nova or this package reads an image property."""
    if key.startswith(request.PROPERTY_PREFIX):
        request.read_overrides(request.Source.IMAGE, {key: value})
        return
    # What it does not know it drops.
    assert key in image_meta.ImageMetaProps.fields, key
    image_meta.ImageMetaProps.from_dict({key: value})


_PROPERTIES = {'flavor': flavor_property, 'image': image_property}


def _server_event(version, verb, server, *request):
    # Details of events are shown from there on: nova/api/openstack/compute/
    # rest_api_version_history.rst.
    assert (verb, version, len(request)) in (
        ('list', None, 0),
        ('show', '2.84', 1),
    ), verb


def _openstack(*arguments):
    parser = _Parser()
    parser.add_argument('--os-compute-api-version')
    found, (what, verb, *arguments) = parser.parse_known_args(arguments)
    if (what, verb) == ('server', 'event'):
        _server_event(found.os_compute_api_version, *arguments)
        return
    parser = _Parser()
    parser.add_argument('name', nargs=1)
    if what in _PROPERTIES:
        assert verb in ('set', 'unset'), verb
        parser.add_argument('--property', action='append', required=True)
    else:
        assert what == 'server', what
        for option in _SERVERS[verb]:
            parser.add_argument(option, action='append_const', const=option)
    found = parser.parse_args(arguments)
    for each in getattr(found, 'property', ()):
        key, _, value = each.partition('=')
        _PROPERTIES[what](key, value if verb == 'set' else 'on')


def _pip(verb, *arguments):
    assert verb in ('install', 'uninstall'), verb
    extras = importlib.metadata.metadata(_PACKAGE).get_all('Provides-Extra')
    for argument in arguments:
        if argument.startswith('-') or '/' in argument:
            continue
        wanted = requirements.Requirement(argument)
        assert wanted.name == _PACKAGE, argument
        assert wanted.extras <= set(extras), argument


def _environments():
    """Return the names of tox's environments."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(blocks.TOP / 'tox.ini')
    yield from ('py3', 'py310')
    for section in config.sections():
        name = section.removeprefix('testenv:')
        start, _, rest = name.partition('{')
        choices, _, end = rest.partition('}')
        yield from (f'{start}{each}{end}' for each in choices.split(','))


def _tox(*arguments):
    parser = _Parser()
    parser.add_argument('-e', required=True)
    found, _ = parser.parse_known_args(arguments)
    assert set(found.e.split(',')) <= set(_environments()), found.e


def _python(*arguments):
    assert arguments[:2] == ('-m', 'build'), arguments


def _make(target, *arguments):
    makefile = (blocks.TOP / 'Makefile').read_text()
    assert re.search(f'^{re.escape(target)}:', makefile, re.M), target


def _man(option, path):
    conf = (blocks.TOP / 'doc' / 'source' / 'conf.py').read_text()
    name = path.rpartition('/')[2].removesuffix('.1')
    assert (option, f"'{name}'," in conf) == ('-l', True), path


def _systemctl(verb, *units):
    assert verb == 'restart', verb
    assert set(units) <= set(_UNITS), units


def _apt_get(verb, *arguments):
    control = (blocks.TOP / 'debian' / 'control').read_text()
    for argument in arguments:
        name = pathlib.PurePath(argument).name.partition('_')[0]
        assert verb == 'build-dep' or name in control, argument


def _glance_manage(verb, path):
    project = (blocks.TOP / 'pyproject.toml').read_text()
    assert verb == 'db_load_metadefs', verb
    assert f'"{path.removeprefix("PREFIX/")}" = [' in project, path


def _kolla_build(*arguments):
    assert 'nova' in arguments[-1], arguments


def _openstack_ansible(*arguments):
    assert 'openstack.osa.nova' in arguments, arguments


def _kolla_ansible(*arguments):
    assert {'--tags', 'nova'} <= set(arguments), arguments


def _any(*arguments):
    """Check nothing: nothing of it is ours."""


CHECKS = {
    'apt-get': _apt_get,
    'dpkg-buildpackage': _any,
    'git': _any,
    'glance-manage': _glance_manage,
    'kolla-ansible': _kolla_ansible,
    'kolla-build': _kolla_build,
    'make': _make,
    'man': _man,
    'openstack': _openstack,
    'openstack-ansible': _openstack_ansible,
    'pip': _pip,
    'python': _python,
    'stack.sh': _any,
    'systemctl': _systemctl,
    'tox': _tox,
    'virsh': _any,
    'virt-install': _any,
}
