# SPDX-License-Identifier: Apache-2.0
"""Run a command in the lab: python -m tests.lab -- COMMAND [ARG...]"""

import argparse
import pathlib
import shutil
import sys
import tempfile

from tests.lab import exception
from tests.lab import lab
from tests.lab import packages
from tests.lab import spec as lab_spec

# As timeout(1), env(1) and the shell have them; all others are the command's.
_SILENT_STATUS = 124
_LAB_STATUS = 125
_INTERRUPTED_STATUS = 130

_EPILOG = f"""
exit status: the command's own; {_SILENT_STATUS} when it was silent too long,
{_LAB_STATUS} when the lab itself failed. Set {packages.CACHE_VARIABLE} to keep
packages and images elsewhere than below ~/.cache.
"""


def _parser() -> argparse.ArgumentParser:
    defaults = lab_spec.LabSpec()
    parser = argparse.ArgumentParser(
        prog='python -m tests.lab',
        usage='%(prog)s [options] -- COMMAND [ARG...]',
        description='Boot a full host, one whose KVM emulates Hyper-V, on '
        "this machine's files and run a command on it.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        '--silence',
        type=float,
        default=lab.SILENCE_SECONDS,
        metavar='SECONDS',
        help='give up when neither the console nor the command has written '
        'anything for so long (default: %(default)g)',
    )
    parser.add_argument(
        '--cpus', type=int, default=defaults.cpus, help='default: %(default)d'
    )
    parser.add_argument(
        '--memory',
        type=int,
        default=defaults.memory_mib,
        metavar='MIB',
        help='default: %(default)d',
    )
    parser.add_argument(
        '--param',
        action='append',
        default=[],
        metavar='MODULE.NAME=VALUE',
        help='parameter of kvm or kvm_amd, as kvm_amd.nested=0 or '
        'kvm_amd.avic=0; repeatable',
    )
    parser.add_argument(
        '--kvm-device',
        choices=[one.value for one in lab_spec.KvmDevice],
        default=defaults.kvm_device.value,
        help='whether /dev/kvm can be opened inside (default: %(default)s)',
    )
    parser.add_argument(
        '--host',
        metavar='RELEASE',
        help='a release of Debian, as trixie or sid, whose libvirt, QEMU, '
        "kernel and Python it has (default: this machine's own files)",
    )
    parser.add_argument(
        '--kernel-package',
        default=defaults.kernel_package,
        metavar='NAME',
        help='default: %(default)s',
    )
    parser.add_argument(
        '--out',
        type=pathlib.Path,
        metavar='DIR',
        help=f"where the command's files come back; it finds the name in "
        f'{lab.OUT_VARIABLE} (default: a temporary folder, removed when the '
        'command succeeds)',
    )
    parser.add_argument('--times', action='store_true', help='print figures')
    parser.add_argument('command', nargs=argparse.REMAINDER)
    return parser


def main(argv: list[str]) -> int:
    """Run one command.

    :returns: the exit status, see the epilog of --help.
    """
    parser = _parser()
    args = parser.parse_args(argv)
    command = args.command[args.command[:1] == ['--'] :]
    if not command:
        parser.error('which command?')
    out = args.out or pathlib.Path(tempfile.mkdtemp(prefix='lab-'))
    status = _LAB_STATUS
    try:
        status = _run(args, command, out)
    except exception.LabError as err:
        print(f'lab: {err}', file=sys.stderr)
        if isinstance(err, exception.MachineSilent):
            status = _SILENT_STATUS
    except KeyboardInterrupt:
        status = _INTERRUPTED_STATUS
    finally:
        if args.out is None:
            _leave(out, status)
    return status


def _run(
    args: argparse.Namespace, command: list[str], out: pathlib.Path
) -> int:
    spec = lab_spec.LabSpec(
        cpus=args.cpus,
        memory_mib=args.memory,
        module_params=tuple(args.param),
        kvm_device=lab_spec.KvmDevice(args.kvm_device),
        host=args.host,
        kernel_package=args.kernel_package,
    )
    result = lab.Lab(spec).run(
        command,
        outdir=out,
        silence=args.silence,
        stdout=sys.stdout.buffer,
        stderr=sys.stderr.buffer,
    )
    if args.times:
        print(
            f'lab: booted in {result.boot_seconds:.1f} s, ran for '
            f'{result.seconds:.1f} s',
            file=sys.stderr,
        )
    return result.returncode


def _leave(out: pathlib.Path, status: int) -> None:
    """Remove the temporary folder, but not the traces of a failure."""
    if status == 0 or not any(out.iterdir()):
        shutil.rmtree(out, ignore_errors=True)
    else:
        print(f'lab: logs and files are in {out}', file=sys.stderr)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
