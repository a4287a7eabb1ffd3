# SPDX-License-Identifier: Apache-2.0

"""Finds what stands in the group's section and is no option of it.

oslo.config ignores it: a misspelt option has no effect, without a warning.
"""

import collections.abc
import pathlib

from oslo_config import cfg

from nova_hyperv_enlight.catalogue import spelling
from nova_hyperv_enlight.conf import hyperv_enlight

_GROUP = hyperv_enlight.group().name


def find(conf: cfg.ConfigOpts) -> list[str]:
    """Return a sentence for each name that is no option of the group.

    :param conf: where nova.conf was read into; its files are read again.
    """
    known = [opt.dest for opt in hyperv_enlight.ALL_OPTS]
    return [
        f'[{_GROUP}] {name} in {path} is no option{_meant(name, known)}'
        for path in _files(conf)
        for name in _names(path)
        if name not in known
    ]


def _files(conf: cfg.ConfigOpts) -> collections.abc.Iterator[str]:
    """Yield the files in the order in which oslo.config reads them."""
    yield from conf.config_file or ()
    for directory in conf.config_dir or ():
        for path in sorted(pathlib.Path(directory).glob('*.conf')):
            yield str(path)


def _names(path: str) -> list[str]:
    """Return what the section holds, in one file."""
    sections: dict[str, dict[str, list[str]]] = {}
    cfg.ConfigParser(path, sections).parse()
    # oslo.config does not heed the case of a group.
    return [
        name
        for section, held in sections.items()
        if section.lower() == _GROUP
        for name in held
    ]


def _meant(name: str, known: list[str]) -> str:
    found = spelling.alike(name, known)
    return f' (did you mean {found}?)' if found else ''
