# SPDX-License-Identifier: Apache-2.0

"""Splits texts into words as a shell does."""

import shlex

from nova_hyperv_enlight.notation import statement


def split(text: str, notation: str) -> list[str]:
    """Split a command line, or what /proc/PID/cmdline has of one.

    :param notation: the notation that it should be in, for messages.
    :raises MalformedDocument: a quotation is not closed.
    """
    if '\0' in text:
        return text.removesuffix('\0').split('\0')
    try:
        # shlex keeps the line ends that a backslash takes away in a shell.
        return shlex.split(text.replace('\\\n', ' '))
    except ValueError as err:
        raise statement.error(
            notation, f'{err} in {statement.quote(text)}'
        ) from err


def options(
    words: list[str], names: tuple[str, ...]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Take options and their values out of a command line.

    ``--name value`` and ``--name=value`` are the same, with one dash or two.

    :param words: the command line.
    :param names: the options' names, without dashes.
    :returns: the options with their values, and the words that are left.
    """
    found, left = [], []
    rest = iter(words)
    for word in rest:
        name, equals, value = word.lstrip('-').partition('=')
        if not word.startswith('-') or name not in names:
            left.append(word)
        elif equals:
            found.append((name, value))
        else:
            found.append((name, next(rest, '')))
    return found, left
