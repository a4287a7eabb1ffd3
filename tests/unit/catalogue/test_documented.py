# SPDX-License-Identifier: Apache-2.0

import importlib.util
import pathlib
import re
import sys
import types

import ddt
import fixtures

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.domains import findings
from nova_hyperv_enlight.policy import decision
from tests.unit import base

DOC = pathlib.Path(__file__).parents[3] / 'doc'

# What the extension imports of the tools of the documentation, which the
# unit tests do without: its text is made by plain functions.
TOOLS = {
    'docutils': {'nodes': None, 'statemachine': None},
    'sphinx': {},
    'sphinx.util': {
        'docutils': types.SimpleNamespace(SphinxDirective=object),
        'nodes': None,
    },
}


class Extension(fixtures.Fixture):
    """The Sphinx extension that renders the catalogue.

    :ivar module: the extension.
    """

    def _setUp(self):
        for name, attributes in TOOLS.items():
            tool = types.ModuleType(name)
            vars(tool).update(attributes)
            known = sys.modules.get(name)
            self.addCleanup(self._restore, name, known)
            sys.modules[name] = tool
        spec = importlib.util.spec_from_file_location(
            'doc_ext_catalogue', DOC / 'ext' / 'catalogue.py'
        )
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)

    @staticmethod
    def _restore(name, known):
        del sys.modules[name]
        if known is not None:
            sys.modules[name] = known


class OtherExtension(fixtures.Fixture):
    """A Sphinx extension that imports the catalogue's.

    :cvar NAME: its module's name.
    :ivar module: the extension.
    """

    NAME = ''

    def _setUp(self):
        catalogue = self.useFixture(Extension()).module
        # It is found beside the other one when the documentation is made.
        sys.modules['catalogue'] = catalogue
        self.addCleanup(sys.modules.pop, 'catalogue')
        spec = importlib.util.spec_from_file_location(
            f'doc_ext_{self.NAME}', DOC / 'ext' / f'{self.NAME}.py'
        )
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)


class RenderTestCase(base.TestCase):
    """Renders what an extension of the documentation makes.

    :cvar EXTENSION: the fixture that loads it
    """

    EXTENSION = Extension

    def setUp(self):
        super().setUp()
        self.extension = self.useFixture(self.EXTENSION()).module

    def render(self, directive):
        """Return the text that a directive makes."""
        return '\n'.join(directive.lines(None))


@ddt.ddt
class DocumentedTestCase(RenderTestCase):
    """Walks every entry: the documentation tells of it."""

    @ddt.data(*enlightenments.ENLIGHTENMENTS)
    def test_section(self, name):
        entry = enlightenments.ENLIGHTENMENTS[name]
        text = self.render(self.extension.Enlightenments)
        label = name.replace('.', '-').replace('_', '-')
        start = text.index(f'.. _enlightenment-{label}:\n\n{name}\n')
        section = text[start:].partition('\n.. _')[0]
        for fact in (
            entry.summary,
            entry.migration,
            f'``{entry.qemu_flag}``',
            f'.{entry.kubevirt}``' if entry.kubevirt else 'not known to it',
            *entry.ref,
        ):
            self.assertIn(fact, section)

    @ddt.data(*enlightenments.ENLIGHTENMENTS)
    def test_row(self, name):
        text = self.render(self.extension.EnlightenmentsTable)
        flag = enlightenments.ENLIGHTENMENTS[name].qemu_flag
        self.assertEqual(1, text.count(f'   * - :ref:`{name} <'))
        self.assertIn(f'- ``{flag}``\n', text)

    @ddt.data(*profiles.PROFILES)
    def test_profile(self, name):
        text = self.render(self.extension.Profiles)
        start = text.index(f'   * - ``{name}``\n')
        row = text[start + 1 :].partition('\n   * ')[0]
        self.assertIn(profiles.PROFILES[name].summary, row)

    @ddt.data(*profiles.PROFILES)
    def test_matrix(self, name):
        text = self.render(self.extension.ProfileMatrix)
        rows = [row.split('     - ') for row in text.split('   * - ')[1:]]
        column = [cell.strip() for cell in rows[0]].index(name)
        cells = {row[0].split('`')[1].split()[0]: row for row in rows[1:]}

        self.assertEqual(set(enlightenments.ENLIGHTENMENTS), set(cells))
        self.assertEqual(
            profiles.PROFILES[name].features,
            {each for each, row in cells.items() if ':on:' in row[column]},
        )
        self.assertEqual(
            {
                'stock': {'Nova'},
                'host-model': {'libvirt', 'on'},
                'passthrough': {'QEMU', 'on'},
                'none': {'off'},
            }.get(name, {'on', 'off'}),
            {row[column].split('`')[1] for row in cells.values()},
        )

    @ddt.data(
        'enlightenments', 'enlightenments-table', 'profiles', 'profile-matrix'
    )
    def test_rendered(self, directive):
        pages = [
            path
            for path in (DOC / 'source').rglob('*.rst')
            if f'.. {directive}::\n' in path.read_text()
        ]
        self.assertNotEqual([], pages)


class TroubleshootingTestCase(base.TestCase):
    """The page knows what can be met."""

    PAGE = DOC / 'source' / 'admin' / 'troubleshooting.rst'

    def test_reasons(self):
        _, _, table = self.PAGE.read_text().partition('By reason code')

        for reason in decision.Reason:
            self.assertIn(f'   * - ``{reason.value}``\n', table)

    def test_findings(self):
        text = self.PAGE.read_text()
        known = {f'<finding-{code}>' for code in findings.KINDS}

        self.assertLessEqual(set(re.findall('<finding-[^>]*>', text)), known)
