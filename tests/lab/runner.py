# SPDX-License-Identifier: Apache-2.0
"""Run job after job inside the lab; the init script starts this file.

It has only the standard library, and as little of it as can be: under
emulation every import counts.
"""

import contextlib
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import typing

_LAB = pathlib.Path('/run/lab')
_POLL_SECONDS = 0.05
# The files of a job that say how KVM is loaded.
_KVM = ('kvm_device', 'kvm', 'kvm_amd')
# What a shell answers: not found, and found but not to be executed.
_NOT_FOUND = 127
_NOT_EXECUTABLE = 126
_SIGNALLED = 128
# How long an orphan of the command may keep its output open.
_DRAIN_SECONDS = 2.0


def main(folder: pathlib.Path) -> None:
    """Run the jobs that come into a folder, until there is an 'end'."""
    kvm: list[str] | None = None
    for number in itertools.count(1):
        job = folder / f'{number:03}'
        while not (job / 'job.json').exists():
            if (folder / 'end').exists():
                return
            time.sleep(_POLL_SECONDS)
        wanted = [(job / name).read_text() for name in _KVM]
        if wanted != kvm:
            kvm = wanted
            # It tells the console what is wrong, and powers off.
            _script('kvm', *wanted)
        _do(job)
        _bury()


def _script(*words: str) -> None:
    here = str(_LAB / 'busybox')
    subprocess.run([here, 'sh', str(_LAB / 'init'), *words], check=False)


def _bury() -> None:
    """End what a job has left running, so that the next one is alone."""
    for name in os.listdir('/proc'):
        if name.isdecimal() and int(name) not in (1, os.getpid()):
            with contextlib.suppress(OSError):
                # A thread of the kernel has no program.
                os.readlink(f'/proc/{name}/exe')
                os.kill(int(name), signal.SIGKILL)


def _do(folder: pathlib.Path) -> None:
    """Run the job that a folder describes, and leave its status there."""
    job_file = folder / 'job.json'
    job = json.loads(job_file.read_bytes())
    # It holds the caller's whole environment: keep it no longer than needed.
    job_file.unlink()
    (folder / 'started').write_bytes(b'')
    with (
        open(folder / 'stdout', 'ab', buffering=0) as stdout,
        open(folder / 'stderr', 'ab', buffering=0) as stderr,
    ):
        begin = time.monotonic()
        code = _run(job, stdout, stderr)
        seconds = time.monotonic() - begin
    os.sync()
    status = folder / 'status.new'
    status.write_text(json.dumps({'returncode': code, 'seconds': seconds}))
    status.rename(folder / 'status.json')


def _run(
    job: dict[str, typing.Any],
    stdout: typing.BinaryIO,
    stderr: typing.BinaryIO,
) -> int:
    try:
        os.chdir(job['cwd'])
        # Pipes, not the files themselves: a command that opens /dev/stderr
        # anew would cut a file short.
        process = subprocess.Popen(  # noqa: S603
            job['argv'],
            env=job['env'],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as err:
        stderr.write(f'lab: {err}\n'.encode(errors='surrogateescape'))
        missing = isinstance(err, FileNotFoundError | NotADirectoryError)
        return _NOT_FOUND if missing else _NOT_EXECUTABLE
    copiers = [
        threading.Thread(target=_copy, args=pair, daemon=True)
        for pair in ((process.stdout, stdout), (process.stderr, stderr))
    ]
    for copier in copiers:
        copier.start()
    code = process.wait()
    deadline = time.monotonic() + _DRAIN_SECONDS
    for copier in copiers:
        copier.join(max(0.0, deadline - time.monotonic()))
    return code if code >= 0 else _SIGNALLED - code


def _copy(source: typing.BinaryIO, target: typing.BinaryIO) -> None:
    while data := os.read(source.fileno(), 65536):
        target.write(data)


if __name__ == '__main__':
    main(pathlib.Path(sys.argv[1]))
