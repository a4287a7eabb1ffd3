# SPDX-License-Identifier: Apache-2.0

"""Finds the commands and snippets of a page."""

import dataclasses
import pathlib

from docutils import core
from docutils import nodes
from docutils.parsers import rst
from docutils.parsers.rst import directives
from docutils.parsers.rst import roles

TOP = pathlib.Path(__file__).parents[3]
PAGES = (
    'CONTRIBUTING.rst',
    'HACKING.rst',
    'README.rst',
    *sorted(
        str(path.relative_to(TOP))
        for path in (TOP / 'doc' / 'source').rglob('*.rst')
    ),
)

#: What Sphinx renders from elsewhere: nobody types it.
_RENDERED = (
    'autoprogram-cliff',
    'enlightenments',
    'enlightenments-table',
    'findings',
    'findings-table',
    'severities-table',
    'list-plugins',
    'literalinclude',
    'profile-matrix',
    'profiles',
    'properties',
    'show-options',
    'toctree',
    'windows-matrix',
    'windows-releases',
)
_ROLES = ('doc', 'download', 'file', 'program', 'ref')


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A literal block of a page.

    :ivar page: the page, below the top of the tree.
    :ivar line: the line that it begins at.
    :ivar language: the argument of its code-block, or a blank.
    :ivar caption: the name of the file that it belongs in, or a blank.
    :ivar text: what stands in it.
    """

    page: str
    line: int
    language: str
    caption: str
    text: str

    def __str__(self):
        return f'{self.page}, line {self.line}'


class _Rendered(rst.Directive):
    """Stands in for a directive whose text is made by an extension."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = dict.fromkeys(
        ('caption', 'config-file', 'detailed', 'language', 'maxdepth'),
        directives.unchanged,
    )

    def run(self):
        return []


class _Only(rst.Directive):
    """Stands in for Sphinx's ``only``: all of it counts."""

    required_arguments = 1
    has_content = True

    def run(self):
        node = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, node)
        return node.children


class _CodeBlock(rst.Directive):
    """Stands in for Sphinx's ``code-block``."""

    optional_arguments = 1
    has_content = True
    option_spec = {'caption': directives.unchanged}

    def run(self):
        text = '\n'.join(self.content)
        return [
            nodes.literal_block(
                text,
                text,
                language=' '.join(self.arguments),
                caption=self.options.get('caption', ''),
                began=self.lineno,
            )
        ]


def _register():
    for name in _RENDERED:
        directives.register_directive(name, _Rendered)
    directives.register_directive('only', _Only)
    directives.register_directive('code-block', _CodeBlock)
    for name in _ROLES:
        roles.register_local_role(
            name,
            lambda role, raw, text, *rest, **more: (
                [nodes.literal(raw, text)],
                [],
            ),
        )


def _parse(page, text):
    _register()
    return core.publish_doctree(
        text,
        source_path=page,
        settings_overrides={
            'file_insertion_enabled': False,
            'halt_level': 2,
            'report_level': 2,
            'warning_stream': False,
        },
    )


def read(page, text):
    """Return the blocks of a text.

    :raises docutils.utils.SystemMessage: it is not RST, or has a directive
        or a role that is not known here and may hide commands.
    """
    return [
        Block(
            page=page,
            line=node.get('began') or node.line or 0,
            language=node.get('language', ''),
            caption=node.get('caption', ''),
            text=node.astext(),
        )
        for node in _parse(page, text).findall(
            lambda node: isinstance(
                node, (nodes.literal_block, nodes.doctest_block)
            )
        )
    ]


def of(page):
    """Return the blocks of a page; see :func:`read`."""
    return read(page, (TOP / page).read_text(encoding='utf-8'))


def empty_items(page):
    """Return the lines of a page that hold a bullet and nothing else.

    A dash alone in a cell of a table is one.
    """
    text = (TOP / page).read_text(encoding='utf-8')
    return [
        item.line
        for item in _parse(page, text).findall(nodes.list_item)
        if not item.children
    ]


def targets(page):
    """Return where the links of a page lead."""
    text = (TOP / page).read_text(encoding='utf-8')
    return [
        node['refuri']
        for node in _parse(page, text).findall(nodes.reference)
        if 'refuri' in node
    ]


def literals(page):
    """Return what stands in the lines of a page as it is typed."""
    text = (TOP / page).read_text(encoding='utf-8')
    return [
        node.astext() for node in _parse(page, text).findall(nodes.literal)
    ]
