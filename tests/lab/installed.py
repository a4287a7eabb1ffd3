# SPDX-License-Identifier: Apache-2.0
"""The checkout, as if it were installed on a host of another release.

Its modules are the checkout's own. What else an installation would bring is
laid out beside them: the entry points, which the program looks for, and the
programs themselves.
"""

import collections.abc
import importlib.metadata
import pathlib

from tests.lab import release

_NAME = 'nova-hyperv-enlight'
_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
_PROGRAM = """\
#!{python}
import sys
from {module} import {attribute}
sys.exit({attribute}())
"""


def lay_out(
    folder: pathlib.Path, inside: pathlib.Path, checkout: pathlib.Path
) -> collections.abc.Mapping[str, str]:
    """Lay out what the checkout itself lacks.

    :param folder: where to.
    :param inside: what this folder is called on the host.
    :param checkout: what that one is called there.
    :returns: the variables of a command of the host.
    """
    path, search = [str(inside / 'bin'), _PATH], [str(checkout)]
    try:
        found = importlib.metadata.distribution(_NAME)
    except importlib.metadata.PackageNotFoundError:
        # A caller that has not installed it wants none of it.
        pass
    else:
        search.append(str(inside / 'site'))
        _write_metadata(found, folder / 'site')
        _write_programs(found, folder / 'bin')
    return {
        'HOME': '/root',
        'LANG': 'C.UTF-8',
        'PATH': ':'.join(path),
        'PYTHONPATH': ':'.join(search),
    }


def _write_metadata(
    found: importlib.metadata.Distribution, site: pathlib.Path
) -> None:
    name = f'{_NAME.replace("-", "_")}-{found.version}.dist-info'
    info = site / name
    info.mkdir(parents=True)
    (info / 'METADATA').write_text(
        f'Metadata-Version: 2.1\nName: {_NAME}\nVersion: {found.version}\n'
    )
    points = found.read_text('entry_points.txt') or ''
    (info / 'entry_points.txt').write_text(points)


def _write_programs(
    found: importlib.metadata.Distribution, place: pathlib.Path
) -> None:
    place.mkdir()
    for point in found.entry_points.select(group='console_scripts'):
        program = place / point.name
        program.write_text(
            _PROGRAM.format(
                python=release.PYTHON,
                module=point.module,
                attribute=point.attr,
            )
        )
        program.chmod(0o755)
