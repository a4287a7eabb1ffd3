# SPDX-License-Identifier: Apache-2.0

"""What is found in documents, put together by what it has in common."""

import collections
import dataclasses
import enum


class Kind(enum.Enum):
    """What is wrong, the worst first."""

    CRASH = 'crash'
    INVALID = 'invalid'
    CHANGED = 'changed'
    DROPPED = 'dropped'
    UNSTABLE = 'unstable'
    LOSS = 'loss'
    REFUSED = 'refused'


#: What each kind means, for the report.
MEANING = {
    Kind.CRASH: 'the program failed and did not say why',
    Kind.INVALID: 'the schema does not accept what was written',
    Kind.CHANGED: 'something else in the document is not as it was',
    Kind.DROPPED: 'something is missing, and was not named',
    Kind.UNSTABLE: 'the same again gives something else',
    Kind.LOSS: 'the new notation cannot say it, and it was named',
    Kind.REFUSED: 'the program does not take the document, and says why',
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that was found.

    :ivar kind: what is wrong.
    :ivar command: what was done.
    :ivar reason: what is wrong, without the document's own names.
    :ivar document: the document's name.
    """

    kind: Kind
    command: str
    reason: str
    document: str


def report(found, examples):
    """Yield the lines of a report.

    :param found: the findings.
    :param examples: how many documents are named of each.
    """
    groups = collections.defaultdict(list)
    for each in found:
        groups[each.kind, each.command, each.reason].append(each.document)
    for kind in Kind:
        some = {key: names for key, names in groups.items() if key[0] is kind}
        count = sum(map(len, some.values()))
        yield f'{kind.value}: {count} ({MEANING[kind]})'
        for (_, command, reason), names in sorted(
            some.items(), key=lambda item: (-len(item[1]), item[0][1:])
        ):
            names = list(dict.fromkeys(names))
            yield f'    {len(names)} x {command}: {reason}'
            yield from (f'        {name}' for name in names[:examples])
