# SPDX-License-Identifier: Apache-2.0

"""Reads JSON that comes from another machine: nothing is taken for granted."""

import collections.abc
import contextlib
import json
import pathlib
import typing

from nova_hyperv_enlight import exception

#: How long a text may be.
MAX_CHARACTERS = 1000


def read(path: pathlib.Path, most: int) -> bytes:
    """Return what is in a file.

    :param path: the file.
    :param most: how many bytes are read, one more than may be in it.
    :raises MalformedDocument: it cannot be read.
    """
    try:
        with path.open('rb') as stream:
            return stream.read(most)
    except OSError as err:
        raise exception.MalformedDocument(
            document=path, reason=err.strerror or err
        ) from err


@contextlib.contextmanager
def refusing(source: str) -> collections.abc.Iterator[None]:
    """Turn what is wrong with a document into the error about it.

    :param source: what the document is, for messages.
    :raises MalformedDocument: the JSON, its encoding or what is in it.
    """
    try:
        yield
    except RecursionError as err:
        raise exception.MalformedDocument(
            document=source, reason='it is nested too deeply'
        ) from err
    except ValueError as err:
        raise exception.MalformedDocument(document=source, reason=err) from err


def load(text: bytes, most: int) -> typing.Any:
    """Return the value that a JSON text is.

    :param text: the JSON.
    :param most: how many bytes it may have.
    :raises ValueError: it is none, or an object has a key twice.
    """
    if len(text) > most:
        raise ValueError(f'it is longer than {most} bytes')
    if not text.strip():
        raise ValueError('it is empty')
    try:
        return json.loads(text, object_pairs_hook=_object)
    except (json.JSONDecodeError, UnicodeDecodeError) as err:
        raise ValueError(f'it is not JSON: {err}') from err


def _object(
    pairs: collections.abc.Sequence[tuple[str, typing.Any]],
) -> dict[str, typing.Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError('an object has the same key twice')
    return found


def check_text(what: str, text: typing.Any) -> str:
    """Refuse what cannot be shown in one line.

    :param what: what it is, for messages.
    :returns: the text.
    :raises ValueError: it is none, is too long, or cannot be printed.
    """
    if not isinstance(text, str):
        raise ValueError(f'{what} is not a text')
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f'{what} is longer than {MAX_CHARACTERS} characters')
    if not text.isprintable():
        raise ValueError(f'{what} cannot be printed: {text!r}')
    return text


def check_version(
    found: typing.Mapping[str, typing.Any], version: int, again: str
) -> None:
    """Refuse a document of a release whose documents are not read here.

    :param found: the document.
    :param version: the version that is read.
    :param again: what to do about an older one.
    :raises ValueError: it is of another version.
    """
    its = found.get('version')
    if not isinstance(its, int) or its < version:
        raise ValueError(again)
    if its > version:
        raise ValueError(
            f'it has version {its}, and this release reads {version}: '
            'upgrade nova-hyperv-enlight here'
        )
