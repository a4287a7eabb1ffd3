# SPDX-License-Identifier: Apache-2.0

"""Runs the commands that take a file over documents."""

import re

from lxml import etree

from tests.corpus import findings
from tests.corpus import program

REFUSED = 2
#: What domain apply may change, below the root.
_OURS = (
    ('./features', './hyperv'),
    ('./clock', "./timer[@name='hypervclock']"),
    # It pins what reenlightenment needs.
    ('./clock', "./timer[@name='tsc']"),
)


#: The attributes of a clock where there was none.
_MADE = {'offset': 'utc'}


def _unless_fine(command, result, path):
    """Yield what is wrong with a run that did not end well."""
    reason = result.err.replace(str(path), 'FILE').strip()
    lines = reason.splitlines() or ['nothing was said']
    if result.code == REFUSED:
        yield findings.Kind.REFUSED, command, lines[-1]
    elif result.code != 0:
        yield (
            findings.Kind.CRASH,
            command,
            f'exit code {result.code}: {lines[-1]}',
        )


def rest(text):
    """Return a domain without what is ours, in one way to write it."""
    root = etree.fromstring(text.encode())
    for holder, path in _OURS:
        for found in root.findall(holder):
            for element in found.findall(path):
                found.remove(element)
            # Where there was none, one was made to hold what is ours.
            if not len(found) and dict(found.attrib) in ({}, _MADE):
                root.remove(found)
    return etree.canonicalize(
        etree.tostring(root, encoding='unicode'), strip_text=True
    )


def apply(text, directory, schema, arguments):
    """Yield what is wrong with ``domain apply`` of a domain.

    :param text: the domain.
    :param directory: where files may be written.
    :param schema: libvirt's, None to leave validity out.
    :param arguments: more arguments of the command.
    """
    command = ' '.join(('domain apply', *arguments))
    path = directory / 'domain.xml'
    path.write_text(text, encoding='utf-8')
    done = program.run('domain', 'apply', path, '--print-xml', *arguments)
    if done.code != 0:
        yield from _unless_fine(command, done, path)
        return
    error = schema and schema.error(done.out)
    if error and schema.error(text) is None:
        yield findings.Kind.INVALID, command, error
    if rest(done.out) != rest(text):
        yield findings.Kind.CHANGED, command, 'more than enlightenments'
    virt_type = etree.fromstring(text.encode()).get('type')
    if virt_type not in ('kvm', 'qemu') and done.out != text:
        reason = f'a domain of type {virt_type} is not ours to change'
        yield findings.Kind.CHANGED, command, reason
    path.write_text(done.out, encoding='utf-8')
    again = program.run('domain', 'apply', path, '--print-xml', *arguments)
    if again.code != 0:
        yield findings.Kind.UNSTABLE, command, 'its own output is refused'
    elif again.out != done.out:
        yield findings.Kind.UNSTABLE, command, 'its own output is changed'


def explain(text, directory):
    """Yield what is wrong with what is told of a host's document."""
    path = directory / 'domcaps.xml'
    path.write_text(text, encoding='utf-8')
    for words in (('host', 'show'), ('explain',)):
        command = ' '.join(words)
        argv = (*words, '--domcaps', path, '-f', 'json')
        done = program.run(*argv)
        yield from _unless_fine(command, done, path)
        if program.run(*argv) != done:
            yield findings.Kind.UNSTABLE, command, 'twice is not the same'


def generalise(reason):
    """Return a reason without what only one document has."""
    return re.sub(r'\b[0-9a-f]{8}-[0-9a-f-]{27}\b', 'UUID', reason)
