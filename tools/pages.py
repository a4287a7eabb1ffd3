# SPDX-License-Identifier: Apache-2.0

"""Looks at each page of the documentation in a browser, wide and narrow.

A page must not be wider than its window: a wide table scrolls within its own
box on a telephone, and has to fit on a desktop, but for those of the class
``matrix``. Run it with the folder that Sphinx wrote. It needs Chromium.
"""

import argparse
import html
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

#: A desktop and a telephone, in pixels.
WIDTHS = (1280, 390)
_BROWSERS = ('chromium', 'chromium-browser', 'google-chrome')
_TIMEOUT_SECONDS = 300
# Each page is in a frame of its own, so that one browser looks at them all. On
# a telephone the theme cuts off what is too wide, and the page's scrollWidth
# says nothing: so each element's right edge is looked at. What is in a box
# that scrolls is fine, but for a table on a desktop.
_HARNESS = """<!doctype html><meta charset="utf-8"><body>{frames}<script>
const right = (element, view) => {{
  let edge = element.getBoundingClientRect().right;
  const scrolls = ['auto', 'scroll']
    .includes(view.getComputedStyle(element).overflowX);
  const cut = view.innerWidth > 1000 && scrolls
    && element.querySelector(':scope > table:not(.matrix)')
    && element.scrollWidth > element.clientWidth;
  if (cut)
    edge = Math.max(edge, view.innerWidth + element.scrollWidth
      - element.clientWidth);
  if (!scrolls)
    for (const child of element.children)
      edge = Math.max(edge, right(child, view));
  return edge;
}};
onload = () => {{
  for (const frame of document.querySelectorAll('iframe')) {{
    const text = frame.contentDocument.querySelector('article');
    const edge = right(text, frame.contentWindow);
    const line = document.createElement('p');
    line.textContent = ['SEEN', frame.width, Math.floor(edge), frame.title]
      .join(' ');
    frame.replaceWith(line);
  }}
}};
</script>"""
_FRAME = '<iframe width="{}" height="900" title="{}" src="{}"></iframe>'
_SEEN = re.compile(r'<p>SEEN (\d+) (\d+) ([^<]*)</p>')


def pages(top):
    """Return the pages of a folder, without those that Sphinx makes."""
    made = ('genindex.html', 'search.html')
    return sorted(
        path
        for path in top.rglob('*.html')
        if path.name not in made and '_static' not in path.parts
    )


def look(browser, paths):
    """Yield each page, the width of its window, and where its text ends.

    :param browser: the program.
    :param paths: the pages.
    :raises RuntimeError: the browser has not shown all of them.
    """
    frames = ''.join(
        _FRAME.format(
            width, html.escape(str(path)), html.escape(path.as_uri())
        )
        for path in paths
        for width in WIDTHS
    )
    with tempfile.TemporaryDirectory() as directory:
        harness = pathlib.Path(directory) / 'pages.html'
        harness.write_text(_HARNESS.format(frames=frames), encoding='utf-8')
        # A browser found on PATH, with pages of our own; no shell.
        shown = subprocess.run(  # noqa: S603
            [
                browser,
                '--headless',
                '--no-sandbox',
                '--disable-gpu',
                '--hide-scrollbars',
                # A page may otherwise not look into a frame from a file.
                '--allow-file-access-from-files',
                f'--user-data-dir={directory}/profile',
                '--dump-dom',
                harness.as_uri(),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=_TIMEOUT_SECONDS,
        ).stdout
    found = _SEEN.findall(shown)
    if len(found) != len(paths) * len(WIDTHS):
        raise RuntimeError(
            f'{browser} has shown {len(found)} of '
            f'{len(paths) * len(WIDTHS)} pages'
        )
    for width, edge, name in found:
        yield html.unescape(name), int(width), int(edge)


def main(argv=None):
    """Name the pages that are too wide.

    :returns: 0, 1 where there is one, 2 where they cannot be looked at.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', type=pathlib.Path)
    folder = parser.parse_args(argv).folder.resolve()
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    paths = pages(folder)
    if browser is None or not paths:
        missing = 'Chromium is' if browser is None else f'{folder}: pages are'
        print(f'{missing} missing.', file=sys.stderr)
        return 2
    wide = 0
    for name, width, edge in look(browser, paths):
        if edge > width:
            wide += 1
            print(f'{name}: {edge} pixels wide in a window of {width}')
    print(f'{len(paths)} pages at {WIDTHS} pixels: {wide} too wide')
    return int(wide > 0)


if __name__ == '__main__':
    sys.exit(main())
