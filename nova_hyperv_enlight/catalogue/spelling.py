# SPDX-License-Identifier: Apache-2.0

"""Suggests a known word for one that is misspelt."""

import collections.abc
import difflib


def alike(word: str, known: collections.abc.Iterable[str]) -> str | None:
    """Return the known word that is most like this one.

    :param word: the word that is not known.
    :param known: the words that are.
    :returns: None where none of them is much like it.
    """
    # difflib's own 0.6 takes "site" for "nested".
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)
    return found[0] if found else None


def hint(
    word: str, known: collections.abc.Iterable[str], prefix: str = ''
) -> str:
    """Return the question whether that word was meant.

    :param word: the word that is not known.
    :param known: the words that are.
    :param prefix: what is written before each of them, which makes them alike.
    :returns: it begins with a space, to follow a sentence; it is empty where
        no known word is much like this one.
    """
    found = alike(word, known)
    return f' Did you mean {prefix}{found}?' if found else ''


def unknown(kind: str, word: str, known: collections.abc.Iterable[str]) -> str:
    """Return the message about a word that is not known.

    :param kind: what it was taken for, such as ``profile``.
    :param word: the word.
    :param known: the words that are known.
    """
    known = list(known)
    return (
        f'Unknown {kind} {word!r}.{hint(word, known)} Available {kind}s: '
        f'{", ".join(known)}.'
    )
