# SPDX-License-Identifier: Apache-2.0

"""How long ``fleet audit`` takes for the guests of a large cloud.

The documents are those that ``domain audit -f json`` writes; each guest is
another one, with Nova's names and half of them with findings.
"""

import json
import os
import pathlib
import random
import subprocess
import tempfile

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.fleet import audits

from benchmarks import fleet
from benchmarks import measure

HOSTS, GUESTS = 300, 40
GOAL_SECONDS = 10
GOAL_MIB = 200
_WANTED = tuple(
    name
    for name in enlightenments.ENLIGHTENMENTS
    if name in profiles.PROFILES['baseline'].features
)


def _finding(name):
    return audits.Finding(
        code='missing',
        name=name,
        severity=model.Severity.COSTS_CPU,
        text=f'{name} is off, and profile baseline would have it on here.',
        to_do='Hard reboot the server; recorded_set decides what it gets.',
    )


def _guest(dice, number):
    lacking = dice.sample(_WANTED, dice.randrange(4)) if number % 2 else ()
    return audits.Guest(
        domain=f'instance-{number:08x}',
        server=f'windows-{number}',
        uuid=f'{number:08x}-0000-4000-8000-{number:012x}',
        project=f'project-{number % 97}',
        flavor=f'm1.{number % 13}',
        has=tuple(name for name in _WANTED if name not in lacking),
        wanted=_WANTED,
        findings=tuple(map(_finding, lacking)),
    )


def write(folder):
    """Write the documents of all hosts, and return their paths."""
    dice = random.Random(1)
    paths = []
    for place in range(HOSTS):
        audit = audits.Audit(
            host=f'compute{place:03}',
            time='2026-11-25T04:00:00+00:00',
            domains=GUESTS,
            whole=True,
            least=model.Severity.NO_EFFECT,
            guests=tuple(
                _guest(dice, place * GUESTS + each) for each in range(GUESTS)
            ),
        )
        path = pathlib.Path(folder, f'{audit.host}.json')
        path.write_text(json.dumps(audits.write(audit), indent=2))
        paths.append(path)
    return paths


def run(*argv):
    """Run the program.

    :returns: its seconds of processor time, of which it waits for nothing
        but files, and the MiB that it has at most.
    """
    process = subprocess.Popen(
        [*fleet.PROGRAM, *argv],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 3:
        raise RuntimeError(f'exit code {process.returncode}')
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def figures():
    """Measure."""
    found = []
    what = f'fleet audit of {HOSTS} hosts with {HOSTS * GUESTS:,} guests'
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(path) for path in write(folder)]
        for kind in ('table', 'json'):
            # The least disturbed process.
            runs = [run('fleet', 'audit', '-f', kind, *paths) for _ in '123']
            found += [
                measure.Figure(
                    what=f'{what}, {kind}, processor time',
                    value=min(seconds for seconds, _ in runs),
                    unit='s',
                    goal=GOAL_SECONDS,
                    digits=2,
                ),
                measure.Figure(
                    what=f'{what}, {kind}, memory',
                    value=max(size for _, size in runs),
                    unit='MiB',
                    goal=GOAL_MIB,
                ),
            ]
    return found
