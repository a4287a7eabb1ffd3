# SPDX-License-Identifier: Apache-2.0
"""Run the probe and count its exits: python -m benchmarks.exits.inside

This part runs in the lab, or wherever KVM emulates Hyper-V.
"""

import argparse
import dataclasses
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from benchmarks.exits import counters
from benchmarks.exits import mailbox
from benchmarks.exits import results
from benchmarks.exits import sets

_QEMU = 'qemu-system-x86_64'
_PHASE_SECONDS = 120.0
# Nova's timers for a Windows guest, as libvirt writes them: no HPET; the
# RTC catches up on lost ticks, the PIT delays them.
_TIMERS = (
    '-rtc',
    'base=localtime,driftfix=slew',
    '-global',
    'kvm-pit.lost_tick_policy=delay',
)


class ProbeError(Exception):
    """The probe did not come to its end."""


def arguments(
    probe: pathlib.Path, memory: pathlib.Path, flags: str
) -> list[str]:
    """Build QEMU's command line.

    :param probe: what build.build() made.
    :param memory: the file behind the guest's memory.
    :param flags: what sets.flags() gave.
    """
    return [
        shutil.which(_QEMU) or _QEMU,
        '-nodefaults',
        '-no-user-config',
        '-no-reboot',
        '-display',
        'none',
        '-machine',
        'pc,hpet=off,memory-backend=ram',
        '-accel',
        'kvm',
        '-cpu',
        f'host{flags}',
        '-smp',
        '2',
        '-m',
        f'{mailbox.MEMORY_BYTES >> 20}M',
        '-object',
        f'memory-backend-file,id=ram,size={mailbox.MEMORY_BYTES},'
        f'mem-path={memory},share=on',
        '-kernel',
        str(probe),
        *_TIMERS,
    ]


class Guest:
    """One guest, from its start to its end.

    :param name: the set's name.
    :param run: which repetition this is.
    """

    def __init__(self, name: str, run: int) -> None:
        self._name = name
        self._run = run

    def measure(self, probe: pathlib.Path) -> list[results.Result]:
        """Run the probe and return what each phase had.

        :raises ProbeError: QEMU ended, or the probe failed or hangs.
        """
        flags = sets.flags(sets.SETS[self._name])
        with tempfile.TemporaryDirectory(dir='/dev/shm') as folder:
            memory = pathlib.Path(folder) / 'memory'
            with mailbox.Mailbox(memory) as box:
                self._process = subprocess.Popen(
                    arguments(probe, memory, flags), stdin=subprocess.DEVNULL
                )
                try:
                    return self._follow(box)
                except TimeoutError as err:
                    raise ProbeError(f'{self._name}: {err}') from err
                finally:
                    self._process.kill()
                    self._process.wait()

    def _follow(self, box: mailbox.Mailbox) -> list[results.Result]:
        found: list[results.Result] = []
        seen: list[counters.Counters] = []
        while True:
            word = box.wait(_PHASE_SECONDS, self._check)
            kind = mailbox.Kind(word.kind)
            if kind is mailbox.Kind.FINISHED:
                return found
            if kind is mailbox.Kind.FAULT:
                raise ProbeError(
                    f'{self._name}: exception {word.count} at '
                    f"{word.taken:#x}, after '{word.operation}', "
                    f"'{word.way}'"
                )
            if kind is mailbox.Kind.NOTE:
                print(f'{self._name}: NOTE: {word.way}', flush=True)
            else:
                folder = counters.find(self._process.pid)
                seen.append(counters.read(folder))
            if kind is mailbox.Kind.END:
                found.append(self._result(word, seen))
                seen.clear()
            box.answer(word)

    def _result(
        self, word: mailbox.Word, seen: list[counters.Counters]
    ) -> results.Result:
        spent = counters.spent(*seen)
        result = results.Result(
            set_name=self._name,
            run=self._run,
            operation=word.operation,
            way=word.way,
            taken=bool(word.taken),
            count=word.count,
            exits=counters.own(spent),
            details=spent,
        )
        print(
            f'run {self._run}, {self._name}: {word.operation}, {word.way}: '
            f'{result.exits} exits / {word.count}',
            flush=True,
        )
        return result

    def _check(self) -> None:
        status = self._process.poll()
        if status is not None:
            raise ProbeError(f'{self._name}: QEMU ended with status {status}')


def main(argv: list[str]) -> int:
    """Run the probe with every set.

    :returns: 0, or 1 when a guest failed.
    """
    parser = argparse.ArgumentParser(prog='python -m benchmarks.exits.inside')
    parser.add_argument('--runs', type=int, default=1)
    parser.add_argument('--set', action='append', choices=list(sets.SETS))
    parser.add_argument('probe', type=pathlib.Path)
    parser.add_argument('target', type=pathlib.Path)
    args = parser.parse_args(argv)
    found: list[results.Result] = []
    try:
        for run in range(1, args.runs + 1):
            for name in args.set or sets.SETS:
                found += Guest(name, run).measure(args.probe)
    except (ProbeError, FileNotFoundError) as err:
        print(f'exits: {err}', file=sys.stderr)
        return 1
    finally:
        rows = [dataclasses.asdict(one) for one in found]
        args.target.write_text(json.dumps(rows, indent=1))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
