# SPDX-License-Identifier: Apache-2.0

"""Sphinx configuration of the documentation."""

import importlib.metadata
import pathlib
import sys

from sphinx.ext import autodoc

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / 'ext'))

extensions = [
    'audit',
    'catalogue',
    'cliff.sphinxext',
    'matrix',
    'oslo_config.sphinxconfiggen',
    'oslo_config.sphinxext',
    'stevedore.sphinxext',
]

project = 'nova-hyperv-enlight'
copyright = 'The nova-hyperv-enlight developers'
root_doc = 'index'
html_theme = 'furo'
html_title = project
html_static_path = ['_static']
html_css_files = ['tables.css']
# Two dashes begin an option: they stay two.
smartquotes = False

man_pages = [
    (
        'cli/index',
        'nova-hyperv-enlight',
        'Hyper-V enlightenments of libvirt guests',
        'The nova-hyperv-enlight developers',
        1,
    ),
    (
        'cli/status',
        'nova-hyperv-enlight-status',
        'check a compute node for nova-hyperv-enlight',
        'The nova-hyperv-enlight developers',
        1,
    ),
]

config_generator_config_file = [
    (
        '../../etc/nova_hyperv_enlight/config-generator.conf',
        '_static/hyperv-enlight',
    )
]

autoprogram_cliff_application = 'nova-hyperv-enlight'

# The hooks are described by their docstrings, and import Nova. It is not
# needed for that: whoever builds the documentation need not install it.
with autodoc.mock(['nova']):
    for _hook in importlib.metadata.entry_points(
        group='nova_hyperv_enlight.guest_config'
    ):
        _hook.load()
