# SPDX-License-Identifier: Apache-2.0

"""Sphinx configuration of the release notes."""

from docutils import nodes

extensions = ['reno.sphinxext']

project = 'nova-hyperv-enlight release notes'
copyright = 'The nova-hyperv-enlight developers'
root_doc = 'index'
html_theme = 'furo'
html_title = project

# What reno calls the release of a history that has no tag.
UNTAGGED = '0.0.0'


def rename_untagged(app, doctree):
    """Give the notes of no release the title that they have after a tag."""
    for title in doctree.findall(nodes.title):
        if title.astext() == UNTAGGED:
            title.children = []
            title += nodes.Text('Not yet released')


def setup(app):
    # Before Sphinx collects the titles for the table of contents.
    app.connect('doctree-read', rename_untagged, priority=400)
    return {'parallel_read_safe': True}
