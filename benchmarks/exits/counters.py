# SPDX-License-Identifier: Apache-2.0
"""KVM's own counters of one guest."""

import pathlib

#: Where KVM has a folder for each guest, <process>-<descriptor>.
DEBUGFS = pathlib.Path('/sys/kernel/debug/kvm')

#: Every exit from the guest.
EXITS = 'exits'
#: Those that the host's own interrupts caused.
HOST_INTERRUPTS = 'irq_exits'
#: What else is kept, to see what the exits were.
DETAILS = (
    'halt_exits',
    'hypercalls',
    'insn_emulation',
    'io_exits',
    'irq_injections',
    'irq_window_exits',
    'mmio_exits',
    'pf_taken',
    'signal_exits',
)

Counters = dict[str, int]


def find(process: int, root: pathlib.Path = DEBUGFS) -> pathlib.Path:
    """Find the folder of the only guest of a process.

    :raises FileNotFoundError: there is none, or debugfs is not mounted.
    """
    for path in root.glob(f'{process}-*'):
        return path
    raise FileNotFoundError(f'KVM has no counters of {process} in {root}')


def read(folder: pathlib.Path) -> Counters:
    """Read the counters of a guest; KVM sums up its vCPUs.

    The host may interrupt the guest at any time. So that a difference of
    counters means something, they are read again until nothing happened.
    """
    while True:
        before = _number(folder, HOST_INTERRUPTS)
        counters = {
            name: _number(folder, name)
            for name in (EXITS, *DETAILS)
            if (folder / name).exists()
        }
        if before == _number(folder, HOST_INTERRUPTS):
            return {**counters, HOST_INTERRUPTS: before}


def spent(begin: Counters, middle: Counters, end: Counters) -> Counters:
    """Count what only the longer one of two runs of a phase had.

    From begin to middle is the run with a few operations, from middle to
    end the run with as many more as are to be counted: what starting and
    stopping costs is in both.
    """
    return {
        name: (end[name] - middle[name]) - (middle[name] - begin[name])
        for name in end
    }


def own(counters: Counters) -> int:
    """Return the exits that were not the host's own interrupts."""
    return counters[EXITS] - counters[HOST_INTERRUPTS]


def _number(folder: pathlib.Path, name: str) -> int:
    return int((folder / name).read_text())
