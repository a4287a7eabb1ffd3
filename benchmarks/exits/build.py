# SPDX-License-Identifier: Apache-2.0
"""Build the probe from its sources, with gcc."""

import pathlib
import shutil
import subprocess

from benchmarks.exits import mailbox

SOURCES = pathlib.Path(__file__).with_name('guest')

# A program on bare metal, of the oldest processor that has all it uses.
# Interrupt handlers in C save no registers but the general ones.
_COMPILE = (
    '-m32',
    '-march=i686',
    '-Os',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-ffreestanding',
    '-fcf-protection=none',
    '-fno-asynchronous-unwind-tables',
    '-fno-pic',
    '-fno-stack-protector',
    '-mgeneral-regs-only',
)
_LINK = (
    '-nostdlib',
    '-static',
    '-no-pie',
    '-Wl,--build-id=none',
    '-Wl,-z,noexecstack',
    f'-Wl,--defsym=mailbox={mailbox.ADDRESS:#x}',
)


class BuildError(Exception):
    """The probe could not be built."""


def build(target: pathlib.Path) -> None:
    """Make the file that QEMU's -kernel loads.

    :raises BuildError: gcc is missing, or did not like the sources.
    """
    gcc = shutil.which('gcc')
    if gcc is None:
        raise BuildError(
            "The probe is built with 'gcc', which is not in PATH; install "
            "the Debian packages 'gcc' and 'binutils'."
        )
    sources = sorted([*SOURCES.glob('*.S'), *SOURCES.glob('*.c')])
    script = SOURCES / 'probe.ld'
    done = subprocess.run(
        [
            gcc,
            *_COMPILE,
            *_LINK,
            f'-Wl,-T,{script}',
            *map(str, sources),
            '-o',
            str(target),
        ],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise BuildError(f'gcc could not build the probe:\n{done.stderr}')
