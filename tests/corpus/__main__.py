# SPDX-License-Identifier: Apache-2.0

"""Run convert, apply, audit and explain over other people's documents.

Takes folders with domains and domain capabilities of libvirt's (.xml), QEMU's
command lines (.args, .cmd), machines of KubeVirt's (.yaml) and guests of
Proxmox VE's (.conf), and says what is wrong, by kind. Nothing is changed.
Exits with 3 where something is found, and with 2 where there is no document.
"""

import argparse
import collections
import pathlib
import sys
import tempfile

from tests.corpus import audit
from tests.corpus import commands
from tests.corpus import conversion
from tests.corpus import documents
from tests.corpus import findings
from tests.corpus import schema

FINE, NOTHING, FOUND = 0, 2, 3


def _check(document, directory, libvirts, arguments):
    """Yield what is wrong with one document."""
    if document.kind is documents.Kind.DOMCAPS:
        yield from commands.explain(document.text, directory)
        return
    yield from conversion.check(document.kind.value, document.text, libvirts)
    if document.kind is documents.Kind.DOMAIN:
        yield from commands.apply(
            document.text, directory, libvirts, arguments
        )
        yield from audit.check(document.text)


def _arguments(argv):
    parser = argparse.ArgumentParser(
        prog='tox -e corpus --', description=__doc__.partition('\n')[0]
    )
    parser.add_argument('directory', metavar='DIR', nargs='+')
    parser.add_argument(
        '--schema',
        metavar='FILE',
        help=f"libvirt's domain.rng (default: {schema.INSTALLED})",
    )
    parser.add_argument(
        '--kind',
        action='append',
        choices=[kind.value for kind in findings.Kind],
        help='look for this kind only (repeatable; default: all)',
    )
    parser.add_argument(
        '--examples',
        metavar='N',
        type=int,
        default=3,
        help='documents to name of each finding (default: 3)',
    )
    parser.add_argument(
        '--apply',
        metavar='ARGUMENT',
        action='append',
        default=[],
        help="an argument of domain apply, '--apply=--force' (repeatable)",
    )
    return parser.parse_args(argv)


def _schema(named):
    if named is None and not pathlib.Path(schema.INSTALLED).exists():
        print('No schema is installed: validity is left out.')
        return None
    path = named or schema.INSTALLED
    print(f'schema: {path}')
    return schema.Schema(path)


def main(argv):
    arguments = _arguments(argv)
    libvirts = _schema(arguments.schema)
    counts = collections.Counter()
    found = []
    with tempfile.TemporaryDirectory() as directory:
        for each in arguments.directory:
            for document in documents.find(pathlib.Path(each)):
                counts[document.kind] += 1
                found.extend(
                    findings.Finding(
                        kind=kind,
                        command=command,
                        reason=commands.generalise(reason),
                        document=document.name,
                    )
                    for kind, command, reason in _check(
                        document,
                        pathlib.Path(directory),
                        libvirts,
                        arguments.apply,
                    )
                    if not arguments.kind or kind.value in arguments.kind
                )
    print(', '.join(f'{counts[kind]} {kind.value}' for kind in documents.Kind))
    if not counts:
        print('There is no document.')
        return NOTHING
    print('\n'.join(findings.report(found, arguments.examples)))
    return FOUND if found else FINE


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
