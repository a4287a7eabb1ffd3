# SPDX-License-Identifier: Apache-2.0

"""Sphinx configuration of the release notes."""

extensions = ['reno.sphinxext']

project = 'nova-hyperv-enlight release notes'
copyright = 'The nova-hyperv-enlight developers'
root_doc = 'index'
html_theme = 'furo'
html_title = project
