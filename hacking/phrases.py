# SPDX-License-Identifier: Apache-2.0

"""Finds phrases that are not written here, and hints at better ones.

codespell looks at words. This looks at phrases, also where they go over the
end of a line or over strings that Python joins. The list is ``phrases.txt``,
in the format of codespell's dictionaries. Run it with the files to read.
"""

import pathlib
import re
import sys

LIST = pathlib.Path(__file__).with_name('phrases.txt')
# What may be between two words: line ends, comments, the seams of strings.
_GAP = r'''(?:[\s'"#]|\bf(?=['"]))+'''


def read(text):
    """Return the hints by their phrases.

    :param text: lines of ``phrase->hint``; others begin with a number sign.
    """
    lines = (line for line in text.splitlines() if not line.startswith('#'))
    return dict(line.split('->', 1) for line in lines)


def find(text, hints):
    """Yield the line, the phrase and the hint of each finding.

    :param text: what people read, or the source of it.
    :param hints: as :func:`read` returned them.
    """
    for phrase, hint in hints.items():
        pattern = _GAP.join(map(re.escape, phrase.split()))
        for match in re.finditer(rf'(?<!\w){pattern}(?!\w)', text, re.I):
            yield text.count('\n', 0, match.start()) + 1, phrase, hint


def main(paths):
    """Print all findings; return 1 if there is one, else 0."""
    hints = read(LIST.read_text(encoding='utf-8'))
    found = [
        f'{path}:{line}: {phrase!r}: {hint}'
        for path in paths
        for line, phrase, hint in sorted(
            find(pathlib.Path(path).read_text(encoding='utf-8'), hints)
        )
    ]
    for each in found:
        print(each)
    return int(bool(found))


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
