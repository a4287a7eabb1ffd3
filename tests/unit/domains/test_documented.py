# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.domains import findings
from tests.unit.catalogue import test_documented


class Extension(test_documented.OtherExtension):
    """The Sphinx extension that renders the findings."""

    NAME = 'audit'


@ddt.ddt
class DocumentedTestCase(test_documented.RenderTestCase):
    """Walks every kind of finding: the documentation tells of it."""

    EXTENSION = Extension

    @ddt.data(*findings.KINDS)
    def test_section(self, code):
        kind = findings.KINDS[code]
        text = self.render(self.extension.Findings)
        start = text.index(f'.. _finding-{code}:\n\n{code}\n')
        section = text[start:].partition('\n.. _')[0]
        for fact in (
            f'{kind.title}.',
            f':Cause: {kind.cause}',
            f':Severity: {self.extension.severity(kind)}',
            f':Cure: {kind.cure}',
        ):
            self.assertIn(fact, section)
        self.assertIs(
            kind.fix is not None, f'domain apply --fix {code}`' in section
        )

    @ddt.data(*findings.KINDS)
    def test_row(self, code):
        text = self.render(self.extension.FindingsTable)

        self.assertEqual(1, text.count(f'   * - :ref:`{code} <finding-'))

    @ddt.data(*model.Severity)
    def test_severity(self, level):
        text = self.render(self.extension.SeveritiesTable)
        row = text[text.index(f'``{level.word}``') :].partition('   * -')[0]

        self.assertIn(level.text, row)
        for name, entry in enlightenments.ENLIGHTENMENTS.items():
            self.assertIs(entry.severity is level, f'``{name}``' in row)

    @ddt.data('findings', 'findings-table', 'severities-table')
    def test_rendered(self, directive):
        page = test_documented.DOC / 'source/admin/audit.rst'

        self.assertIn(f'.. {directive}::\n', page.read_text())
