# SPDX-License-Identifier: Apache-2.0

import contextlib
import importlib.util
import io
import pathlib

import ddt
import fixtures
import testtools

TOP = pathlib.Path(__file__).parents[3]


def load_phrases():
    # The directory cannot be a package: flake8's own 'hacking' is one.
    spec = importlib.util.spec_from_file_location(
        'phrases', TOP / 'hacking' / 'phrases.py'
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


phrases = load_phrases()
HINTS = {'shall': 'must', 'nobody can tell': 'is not known'}


@ddt.ddt
class PhrasesTestCase(testtools.TestCase):
    @ddt.data(
        'It shall stop.',
        'Shall it?',
        'Nobody\ncan tell.',
        '# nobody can\n# tell',
        "cost='nobody can '\n    'tell'",
        "f'nobody '\n    f'can tell'",
    )
    def test_found(self, text):
        ((line, _, _),) = phrases.find(f'\n{text}', HINTS)

        self.assertEqual(2, line)

    @ddt.data('shallow', 'marshall', 'nobody can. tell', 'nobody_can_tell')
    def test_not_found(self, text):
        self.assertEqual([], list(phrases.find(text, HINTS)))

    def test_the_list(self):
        hints = phrases.read(phrases.LIST.read_text())

        self.assertIn('shall', hints)
        self.assertEqual([], [key for key, hint in hints.items() if not hint])

    def test_a_file(self):
        path = self.useFixture(fixtures.TempDir()).join('page.rst')
        pathlib.Path(path).write_text('Fine.\nIt shall not be.\n')
        out = io.StringIO()

        with contextlib.redirect_stdout(out):
            self.assertEqual(1, phrases.main([path]))

        self.assertEqual(
            f"{path}:2: 'shall': must, will, or the present tense\n",
            out.getvalue(),
        )

    def test_nothing_to_say(self):
        self.assertEqual(0, phrases.main([phrases.__file__]))
