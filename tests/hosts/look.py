# SPDX-License-Identifier: Apache-2.0
"""Look into guests of the host that this runs on, for each set there is.

Run in the lab as ``python3 -m tests.hosts.look [RUN...]``; it prints JSON:
for each run of the program its exit code and what it printed.
"""

import json
import logging
import runpy
import subprocess
import sys
import tempfile
import typing

from nova_hyperv_enlight.cmd import probing
from tests.lab import verify_guests
from tests import sets

PROFILES = ('none', 'minimal', 'baseline', 'performance', 'nested')
MODES = ('host-model', 'passthrough')
_VERIFY = ('guest', 'verify')
RUNS: dict[str, tuple[str, ...]] = {
    'host': ('host', 'show'),
    **{
        name: (*_VERIFY, '--profile', name)
        for name in (*PROFILES, *MODES)
    },
    **{
        f'without {name}': (*_VERIFY, '--profile', 'baseline', '--off', name)
        for name in sorted(sets.BASELINE)
    },
    'each': (*_VERIFY, '--each'),
}  # fmt: skip

# libvirt registers its driver anew each time that it is opened, in a table of
# 20 (virConnectDriverTab in src/libvirt.c): the 16th guest had no place.
_MOST_OPENINGS = 12


def look(names: list[str]) -> dict[str, typing.Any]:
    """Run the program, each time with other arguments.

    :param names: the names of the runs.
    """
    driver = runpy.run_path(str(verify_guests.EMBEDDED))['get']()
    probing.run_events = lambda: None  # This driver runs them.
    (driver.root / 'tmp').mkdir()
    tempfile.tempdir = str(driver.root / 'tmp')
    logging.getLogger().addHandler(logging.NullHandler())
    return {
        'libvirt': driver.connection.getLibVersion(),
        'qemu': driver.connection.getVersion(),
        **{name: verify_guests.run(driver.uri, RUNS[name]) for name in names},
    }


def look_in_parts(names: list[str]) -> dict[str, typing.Any]:
    """Run the program in processes that may open libvirt often enough."""
    found: dict[str, typing.Any] = {}
    for first in range(0, len(names), _MOST_OPENINGS):
        part = names[first : first + _MOST_OPENINGS]
        done = subprocess.run(
            [sys.executable, '-W', 'ignore', '-m', 'tests.hosts.look', *part],
            stdout=subprocess.PIPE,
            check=True,
        )
        found |= json.loads(done.stdout)
    return found


if __name__ == '__main__':
    every = sys.argv[1:] or list(RUNS)
    run = look if len(every) <= _MOST_OPENINGS else look_in_parts
    json.dump(run(every), sys.stdout, indent=1)
