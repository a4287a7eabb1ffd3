# SPDX-License-Identifier: Apache-2.0

import pathlib
import shutil
import subprocess
import sys

import ddt
import fixtures
import testtools

TOP = pathlib.Path(__file__).parents[3]
PAGE = """<!doctype html><body style="margin: 0; overflow: hidden">
<article>{}</article>"""
WIDE = '<div style="width: {}px">x</div>'
TABLE = '<table><tr><td>{}</table>'
SCROLLS = '<div style="overflow-x: auto">{}</div>'


@ddt.ddt
class PagesTestCase(testtools.TestCase):
    """A real browser measures pages."""

    def look(self, *bodies):
        """Return the exit code and the output for pages with these texts."""
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        for number, body in enumerate(bodies):
            page = folder / f'{number}.html'
            page.write_text(PAGE.format(body), encoding='utf-8')
        done = subprocess.run(
            [sys.executable, TOP / 'tools/pages.py', folder],
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    @ddt.data(
        (WIDE.format(380), 0, ()),
        (WIDE.format(400), 1, ('390',)),
        (WIDE.format(1300), 1, ('1280', '390')),
        (SCROLLS.format(WIDE.format(1300)), 0, ()),
        (SCROLLS.format(TABLE.format(WIDE.format(400))), 0, ()),
        (SCROLLS.format(TABLE.format(WIDE.format(1300))), 1, ('1280',)),
    )
    @ddt.unpack
    def test_width(self, body, code, windows):
        # No other test needs a browser, and "make check" installs none.
        if not shutil.which('chromium'):
            self.skipTest('there is no Chromium')

        found, out = self.look('short', body)

        self.assertEqual(code, found, out)
        self.assertIn(f'2 pages at (1280, 390) pixels: {len(windows)} ', out)
        for window in windows:
            self.assertRegex(
                out, rf'1\.html: \d+ pixels wide in a window of {window}\n'
            )

    def test_no_pages(self):
        code, out = self.look()

        self.assertEqual(2, code)
        self.assertIn('missing.', out)
