# SPDX-License-Identifier: Apache-2.0

"""Say what share of lines and of branches a coverage.xml has, by module.

coverage's own limit is for both together. Modules that lack something are
named, the worst first. Exits with 1 where a limit is not reached.
"""

import argparse
import sys

from lxml import etree

#: How many modules are named.
WORST = 20


def shares(element):
    """Return the shares of lines and branches in percent."""
    return tuple(
        100 * float(element.get(name)) for name in ('line-rate', 'branch-rate')
    )


def sentence(lines, branches):
    return f'{lines:.1f} % of lines, {branches:.1f} % of branches'


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('report')
    parser.add_argument('--lines', type=float, default=0)
    parser.add_argument('--branches', type=float, default=0)
    arguments = parser.parse_args(argv)
    root = etree.parse(arguments.report).getroot()
    modules = sorted(
        (*shares(each), each.get('filename')) for each in root.iter('class')
    )
    for lines, branches, name in modules[:WORST]:
        if min(lines, branches) < 100:
            print(f'{name}: {sentence(lines, branches)}')
    lines, branches = shares(root)
    print(sentence(lines, branches))
    reached = lines >= arguments.lines and branches >= arguments.branches
    return 0 if reached else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
