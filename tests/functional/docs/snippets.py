# SPDX-License-Identifier: Apache-2.0

"""Checks snippets that are not commands, by their language and file."""

import configparser
import importlib.metadata
import inspect
import pathlib

import jinja2
from lxml import etree
from nova.conf import opts
from nova.virt.libvirt import config as vconfig
from oslo_config import cfg
import yaml

from nova_hyperv_enlight.conf import hyperv_enlight
from nova_hyperv_enlight.conf import profiles_file
from nova_hyperv_enlight.conf import reader
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.hooks import base
from nova_hyperv_enlight.hooks import manager
from tests.fixtures import demo
from tests.fixtures import nova
from tests.functional.docs import calls
from tests.functional.docs import logged
from tests.unit.policy import cases

_OURS = 'hyperv_enlight'
_DRIVERS = (nova.PLUGIN_DRIVER, nova.STOCK_DRIVER)


def _known_options():
    return {
        (str(group), each.dest)
        for group, options in opts.list_opts()
        for each in options
    } | {(_OURS, each.dest) for each in hyperv_enlight.ALL_OPTS}


def check_nova_conf(path):
    """Check that Nova and this package read all of it."""
    sections = {}
    cfg.ConfigParser(str(path), sections).parse()
    known = _known_options()
    for section, options in sections.items():
        for key in options:
            assert (section, key) in known, f'[{section}] {key}'
    driver = sections.get('DEFAULT', {}).get('compute_driver', [_DRIVERS[0]])
    assert driver[0] in _DRIVERS, driver
    conf = cfg.ConfigOpts()
    hyperv_enlight.register_opts(conf)
    conf([], default_config_files=[str(path)], default_config_dirs=[])
    # Hooks are loaded by nova-compute, and their names are not checked here.
    return reader.read(conf)


def _nova_conf(stage, block):
    check_nova_conf(stage.write(block.caption or 'nova.conf', block.text))


def _devstack(stage, block):
    _, marker, text = block.text.partition('[[post-config|$NOVA_CPU_CONF]]\n')
    assert marker, 'nothing for nova-compute'
    check_nova_conf(stage.write('nova-cpu.conf', text))


def _kolla_build(stage, block):
    config = configparser.ConfigParser()
    config.read_string(block.text)
    for name in config.sections():
        assert name.startswith('nova-base-plugin-'), name
        assert set(config[name]) <= {'type', 'location', 'reference'}, name


def _profiles(stage, block):
    stage.write(block.caption, block.text)
    assert profiles_file.parse(block.text, block.caption)


def _openstack_ansible(stage, block):
    variables = yaml.safe_load(block.text)
    for requirement in variables.pop('nova_user_pip_packages'):
        calls.CHECKS['pip']('install', requirement)
    config = configparser.ConfigParser()
    config.read_dict(variables.pop('nova_nova_conf_overrides'))
    path = stage.write('nova.conf', '')
    with path.open('w') as stream:
        config.write(stream)
    check_nova_conf(path)
    assert variables == {}, variables


def _jinja(stage, block):
    jinja2.Environment(autoescape=True).parse(block.text)


def _python(stage, block):
    """Run it, and any hook that it has on a guest."""
    names = {}
    exec(compile(block.text, str(block), 'exec'), names)
    stage.modules.update(names)
    for found in names.values():
        if (
            inspect.isclass(found)
            and issubclass(found, base.GuestConfigHook)
            and not inspect.isabstract(found)
        ):
            _run_hook(found())


def _run_hook(hook):
    config = vconfig.LibvirtConfigGuest()
    config.virt_type = 'kvm'
    before = config.to_xml()
    context = base.Context(instance_uuid='any', decision=cases.decide())
    hook.apply(config, context)
    assert config.to_xml() != before, 'the hook does nothing'


def _entry(stage, block):
    """Nothing here: ``test_one_place`` puts it where it belongs."""


def _toml(stage, block):
    """Check that entry points are hooks of the snippets before."""
    # Its quotes and section names are near enough to those of an ini file.
    config = configparser.ConfigParser()
    config.read_string(block.text)
    (section,) = config.sections()
    assert section == f'project.entry-points."{manager.NAMESPACE}"', section
    for name, value in config[section].items():
        point = importlib.metadata.EntryPoint(
            name=name, value=value.strip('"'), group=manager.NAMESPACE
        )
        assert issubclass(stage.modules[point.attr], base.GuestConfigHook)


def _xml(stage, block):
    root = etree.fromstring(f'<domain>{block.text}</domain>')
    written = {child.tag for child in root.iterfind('features/hyperv/*')}
    found = hyperv.read(root)
    assert written <= found.features | found.off, written


def _log(stage, block):
    """Compare with what is really logged."""
    for message in block.text.split('\n\n'):
        line = ' '.join(message.split())
        assert line in logged.lines(), line


def _demo(stage, block):
    """Compare with what the demonstration printed; a test runs it."""
    printed = [f'{demo.recorded(name)}\n' for name in demo.RECORDS]
    assert any(f'\n{block.text}\n' in each for each in printed), block.text


#: By language and the last part of the caption.
CHECKS = {
    ('ini', ''): _nova_conf,
    ('ini', 'kolla-build.conf'): _kolla_build,
    ('ini', 'local.conf'): _devstack,
    ('ini', 'nova-compute.conf'): _nova_conf,
    ('ini', 'nova.conf'): _nova_conf,
    ('jinja', 'template-overrides.j2'): _jinja,
    ('python', ''): _python,
    ('python', 'enlightenments.py'): _entry,
    ('text', ''): _demo,
    ('text', 'nova-compute.log'): _log,
    ('toml', ''): _toml,
    ('xml', ''): _xml,
    ('yaml', 'hyperv-profiles.yaml'): _profiles,
    ('yaml', 'user_variables.yml'): _openstack_ansible,
}


def check(stage, block):
    """Check a snippet.

    :raises KeyError: nobody knows what to do with it.
    """
    name = pathlib.PurePath(block.caption).name
    CHECKS[block.language, name](stage, block)
