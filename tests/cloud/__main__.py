# SPDX-License-Identifier: Apache-2.0
"""A whole cloud, for a person or a command: python -m tests.cloud."""

import argparse
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

from tests.cloud import backing
from tests.cloud import exception
from tests.cloud import inside
from tests.cloud import place as cloud_place

# UNIX socket paths end at 108 characters, and /var is covered inside.
_PARENT = '/tmp'
_INTERRUPTED_STATUS = 130
_TERMINATED_STATUS = 143


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m tests.cloud',
        usage='%(prog)s [options] [-- COMMAND [ARG...]]',
        description='Set a whole cloud up on this machine, run a command in '
        'it or wait for Ctrl-C, and take it down. Nothing is left.',
        epilog=f"exit status: the command's; {inside.CLOUD_STATUS} when the "
        'cloud itself failed. Its logs stay then.',
    )
    parser.add_argument(
        '--first-port',
        type=int,
        default=cloud_place.FIRST_PORT,
        metavar='PORT',
        help=f'the services listen at this one and the next '
        f'{len(cloud_place.LISTENERS) - 1} (default: %(default)d)',
    )
    parser.add_argument('command', nargs=argparse.REMAINDER)
    return parser


def main(argv: list[str]) -> int:
    """Make a cloud.

    :returns: the exit status, see the end of --help.
    """
    args = _parser().parse_args(argv)
    command = args.command[args.command[:1] == ['--'] :]
    try:
        _check(args.first_port)
    except exception.CloudError as err:
        print(f'cloud: {err}', file=sys.stderr)
        return inside.CLOUD_STATUS
    signal.signal(signal.SIGTERM, _interrupt)
    folder = pathlib.Path(tempfile.mkdtemp(prefix='nhe-cloud.', dir=_PARENT))
    status = inside.CLOUD_STATUS
    try:
        cloud_place.Place.make(folder, args.first_port)
        status = _run(folder, command)
    except KeyboardInterrupt:
        status = _INTERRUPTED_STATUS
    finally:
        _leave(folder, keep_logs=status == inside.CLOUD_STATUS)
    return status


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _check(first_port: int) -> None:
    """Find what would fail later, before anything is started.

    :raises: NotRoot, ProgramMissing, PortInUse.
    """
    if os.geteuid() != 0:
        raise exception.NotRoot()
    for name in backing.PROGRAMS:
        backing.program(name)
    for number, name in enumerate(cloud_place.LISTENERS, first_port):
        with socket.socket() as one:
            # As the services do: what has just ended is not in the way.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind((cloud_place.ADDRESS, number))
            except OSError:
                raise exception.PortInUse(port=number, name=name) from None


def _run(folder: pathlib.Path, command: list[str]) -> int:
    """Run in name spaces of its own, whose end is the end of all in them.

    Even where this process is killed, the kernel kills them.
    """
    process = subprocess.Popen(
        [
            *('setpriv', '--pdeathsig', 'KILL', '--'),
            *('unshare', '--mount', '--pid', '--ipc', '--fork'),
            *('--kill-child=KILL', '--mount-proc', '--'),
            *(sys.executable, '-m', inside.__name__, *command),
        ],
        env={**os.environ, cloud_place.VARIABLE: str(folder)},
        # Only this process hears of Ctrl-C.
        start_new_session=True,
    )
    try:
        return process.wait()
    finally:
        process.kill()
        process.wait()


def _leave(folder: pathlib.Path, keep_logs: bool) -> None:
    for path in folder.iterdir():
        if path.name != 'log' or not keep_logs:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
    if not keep_logs:
        folder.rmdir()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
