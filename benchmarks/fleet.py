# SPDX-License-Identifier: Apache-2.0

"""How long the fleet commands take, and the program itself to start.

The fleet is of documents that ``host show --describe`` could have written,
hardly two of them alike.
"""

import gc
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.fleet import baseline
from nova_hyperv_enlight.fleet import documents

from benchmarks import measure

GOAL_SECONDS = 3
GOAL_RATIO = 11
GOAL_START_SECONDS = 0.25
MANY, FEW = 10000, 1000
PASSES = 5
STARTS = 11
NAMES = tuple(enlightenments.ENLIGHTENMENTS)
#: What the script that pip installs does.
PROGRAM = (
    sys.executable,
    '-c',
    'import sys; from nova_hyperv_enlight.cmd.main import main; '
    'sys.exit(main())',
)


def _document(dice, name):
    lacking = set(dice.sample(NAMES, dice.randrange(6)))
    rows = [
        {
            'name': each,
            'offered': 'no' if each in lacking else 'yes',
            'witness': 'domcapabilities',
            'evidence': (
                'libvirt does not list it'
                if each in lacking
                else 'libvirt lists it'
            ),
        }
        for each in NAMES
    ]
    host = {
        'name': name,
        'vendor': dice.choice(('AMD', 'Intel')),
        'virt_type': 'kvm',
        'arch': 'x86_64',
        'machine': 'pc-q35-7.2',
        'libvirt': '9.0.0',
        'qemu': '7.2.22',
    }
    document = {
        'document': documents.KIND,
        'version': documents.VERSION,
        'host': host,
        'enlightenments': rows,
    }
    return json.dumps(document, indent=2)


def _fleet(directory):
    dice = random.Random(1)
    paths = []
    for place in range(MANY):
        path = pathlib.Path(directory, f'compute{place:05}.json')
        path.write_text(_document(dice, path.stem), encoding='utf-8')
        paths.append(path)
    return paths


def _find(paths):
    # Nothing is remembered from the pass before.
    graph.closed_part.cache_clear()
    gc.collect()
    begin = time.process_time()
    found = baseline.find(documents.read(path) for path in paths)
    spent = time.process_time() - begin
    if found.everyone.hosts != len(paths):
        raise RuntimeError(f'{found.everyone.hosts} hosts were read')
    return spent


def _ratio(paths):
    """Return how many times as long the whole fleet takes as a part."""
    parts = [paths[first : first + FEW] for first in range(0, MANY, FEW * 2)]
    # In turns: the machine has other things to do as well.
    return statistics.median(
        _find(paths) / statistics.median(_find(part) for part in parts)
        for _ in range(PASSES)
    )


def _run(*argv):
    """Return the seconds that a process of the program takes."""
    begin = time.perf_counter()
    subprocess.run(
        [*PROGRAM, *argv],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - begin


def figures():
    """Measure."""
    with tempfile.TemporaryDirectory() as directory:
        paths = _fleet(directory)
        # The least disturbed process.
        seconds = min(
            _run('fleet', 'baseline', '-f', 'json', *map(str, paths))
            for _ in range(3)
        )
        ratio = _ratio(paths)
    return [
        measure.Figure(
            what=f'fleet baseline of {MANY:,} hosts, the whole process',
            value=seconds,
            unit='s',
            goal=GOAL_SECONDS,
            digits=2,
        ),
        measure.Figure(
            what=f'fleet baseline of {MANY:,} hosts / of {FEW:,}',
            value=ratio,
            goal=GOAL_RATIO,
        ),
        measure.Figure(
            what='start of the program (--version)',
            value=min(_run('--version') for _ in range(STARTS)),
            unit='s',
            goal=GOAL_START_SECONDS,
            digits=3,
        ),
    ]
