# SPDX-License-Identifier: Apache-2.0

"""Reads a console session: what is typed, and what is answered."""

import dataclasses

_CONTINUED = '\\'
_MORE = '> '


@dataclasses.dataclass(slots=True, kw_only=True)
class Command:
    """Something that is typed.

    :ivar script: what the shell gets.
    :ivar answer: the lines that are shown after it.
    """

    script: str
    answer: list[str] = dataclasses.field(default_factory=list)


def _prompts(first):
    # In a user's session a line with a number sign is an answer's comment.
    return ('# ', '$ ') if first.startswith('# ') else ('$ ',)


def read(text):
    """Return the commands of a session.

    :raises ValueError: it does not begin with a prompt.
    """
    lines = text.splitlines()
    prompts = _prompts(lines[0])
    commands = []
    for line in lines:
        last = commands[-1] if commands else None
        if last and not last.answer and last.script.endswith(_CONTINUED):
            last.script += '\n' + line.removeprefix(_MORE)
        elif last and not last.answer and line.startswith(_MORE):
            last.script += '\n' + line.removeprefix(_MORE)
        elif line.startswith(prompts):
            commands.append(Command(script=line[2:]))
        elif last:
            last.answer.append(line)
        else:
            raise ValueError(f'{line!r} does not begin with a prompt')
    return commands
