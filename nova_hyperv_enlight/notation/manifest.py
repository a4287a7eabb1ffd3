# SPDX-License-Identifier: Apache-2.0

"""YAML documents of Kubernetes, JSON among them, without YAML's surprises."""

import typing

import yaml

from nova_hyperv_enlight.notation import statement

#: A YAML mapping; every scalar in it is a text.
Mapping = dict[str, typing.Any]


class _Loader(yaml.BaseLoader):
    """Reads every scalar as the text that it is.

    What is not plain is refused: a key that is there twice, and merge keys,
    which would be passed over. An alias is the same object once more, so
    that it costs nothing.
    """


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> Mapping:
    mapping: Mapping = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            reason = 'a key is not a text'
        elif key == '<<':
            reason = 'merge keys are not read'
        elif key in mapping:
            reason = f'{statement.quote(key)} is there twice'
        else:
            mapping[key] = loader.construct_object(value_node, deep=True)
            continue
        raise yaml.constructor.ConstructorError(
            None, None, reason, key_node.start_mark
        )
    return mapping


_Loader.add_constructor(
    yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping
)


class Quoted(str):
    """A text that other readers of YAML must not take for a number."""


class _Dumper(yaml.SafeDumper):
    """Writes what Kubernetes reads as it was meant."""


_Dumper.add_representer(
    Quoted,
    lambda dumper, text: dumper.represent_scalar(
        'tag:yaml.org,2002:str', str(text), style='"'
    ),
)


def load(text: str, notation: str) -> list[Mapping]:
    """Return the documents of a text that are mappings.

    :param text: the YAML.
    :param notation: the notation that it should be in, for messages.
    :raises MalformedDocument: it is no YAML, or not so plain.
    """
    try:
        documents = list(yaml.load_all(text, Loader=_Loader))  # noqa: S506
    except (yaml.YAMLError, ValueError) as err:
        reason = ' '.join(str(err).split())
        raise statement.error(notation, reason) from err
    except RecursionError as err:
        raise statement.error(notation, 'it is nested too deep') from err
    return [each for each in documents if isinstance(each, dict)]


def dump(document: Mapping) -> str:
    """Return a document as YAML, without a line end."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False)
    return text.rstrip('\n')
