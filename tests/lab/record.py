# SPDX-License-Identifier: Apache-2.0
"""Record what hosts say of themselves, for tests/data/lab.

``python -m tests.lab.record [NAME...]`` records the hosts of that folder
anew: the machine that it runs on, and the lab's, each in a boot of its own.
"""

import argparse
import collections.abc
import datetime
import fcntl
import itertools
import json
import os
import pathlib
import platform
import runpy
import struct
import subprocess
import sys
import tempfile
import typing

from tests.lab import lab
from tests.lab import spec as lab_spec

_EMBEDDED = pathlib.Path(__file__).parents[1] / 'real' / 'embedded.py'
_DATA = pathlib.Path(__file__).parents[1] / 'data' / 'lab'
_MACHINES = ('pc', 'q35')
_VIRT_TYPES = ('kvm', 'qemu')

#: The hosts; None is the machine itself.
HOSTS: dict[str, lab_spec.LabSpec | None] = {
    'machine': None,
    'lab': lab_spec.LabSpec(),
    'lab-nested0': lab_spec.LabSpec(module_params=('kvm_amd.nested=0',)),
    # TCG's processor has no AVIC: the module takes the parameter by force.
    'lab-avic1': lab_spec.LabSpec(
        module_params=('kvm_amd.avic=1', 'kvm_amd.force_avic=1')
    ),
    'lab-denied': lab_spec.LabSpec(kvm_device=lab_spec.KvmDevice.DENIED),
    **{
        f'lab-{release}': lab_spec.LabSpec(host=release)
        for release in ('trixie', 'sid')
    },
}

# linux/kvm.h
_KVM_CHECK_EXTENSION = 0xAE03
_KVM_GET_SUPPORTED_HV_CPUID = 0xC008AEC1
_EXTENSIONS = {
    'KVM_CAP_HYPERV': 44,
    'KVM_CAP_HYPERV_VAPIC': 45,
    'KVM_CAP_HYPERV_SPIN': 46,
    'KVM_CAP_HYPERV_TIME': 96,
    'KVM_CAP_HYPERV_SYNIC2': 148,
    'KVM_CAP_HYPERV_VP_INDEX': 149,
    'KVM_CAP_HYPERV_TLBFLUSH': 155,
    'KVM_CAP_HYPERV_SEND_IPI': 161,
    'KVM_CAP_HYPERV_ENLIGHTENED_VMCS': 163,
    'KVM_CAP_HYPERV_CPUID': 167,
    'KVM_CAP_HYPERV_DIRECT_TLBFLUSH': 175,
    'KVM_CAP_SYS_HYPERV_CPUID': 191,
    'KVM_CAP_HYPERV_ENFORCE_CPUID': 199,
}
_PARAMETERS = {
    'kvm_amd': ('nested', 'avic', 'force_avic', 'npt'),
    'kvm_intel': ('nested', 'enable_apicv', 'ept'),
}
_ROOM = 64
# What QEMU is told, line by line: qemu/docs/interop/qmp-spec.rst.
_QUESTIONS = (
    {'execute': 'qmp_capabilities'},
    {
        'execute': 'query-cpu-model-expansion',
        'arguments': {'type': 'full', 'model': {'name': 'host'}},
    },
    {'execute': 'quit'},
)


def _leaves(device: int) -> dict[str, list[str]]:
    """KVM_GET_SUPPORTED_HV_CPUID: eax, ebx, ecx and edx by leaf."""
    buffer = bytearray(struct.pack('=II', _ROOM, 0) + bytes(40 * _ROOM))
    fcntl.ioctl(device, _KVM_GET_SUPPORTED_HV_CPUID, buffer, True)
    (count,) = struct.unpack_from('=I', buffer)
    entries = struct.iter_unpack('=10I', buffer[8 : 8 + 40 * count])
    return {
        f'{entry[0]:#010x}': [f'{word:#010x}' for word in entry[3:7]]
        for entry in entries
    }


def _ask_device(path: str = '/dev/kvm') -> dict[str, typing.Any]:
    try:
        device = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as err:
        return {'errno': err.errno, 'error': err.strerror}
    try:
        extensions = {
            name: fcntl.ioctl(device, _KVM_CHECK_EXTENSION, number)
            for name, number in _EXTENSIONS.items()
        }
        answers: dict[str, typing.Any] = {'extensions': extensions}
        if extensions['KVM_CAP_SYS_HYPERV_CPUID']:
            answers['leaves'] = _leaves(device)
        return answers
    finally:
        os.close(device)


def _ask_modules() -> dict[str, dict[str, str]]:
    found = {}
    for module, names in _PARAMETERS.items():
        folder = pathlib.Path('/sys/module', module, 'parameters')
        if folder.is_dir():
            found[module] = {
                name: (folder / name).read_text()
                for name in names
                if (folder / name).exists()
            }
    return found


def _ask_qemu() -> dict[str, typing.Any]:
    """query-cpu-model-expansion: all properties of the processor 'host'."""
    done = subprocess.run(
        ['qemu-system-x86_64', '-nodefaults', '-display', 'none', '-S']
        + ['-machine', 'none,accel=kvm', '-qmp', 'stdio'],
        input=''.join(json.dumps(one) + '\n' for one in _QUESTIONS),
        capture_output=True,
        text=True,
        check=False,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    for answer in answers:
        if 'model' in answer.get('return', {}):
            found: dict[str, typing.Any] = answer['return']['model']
            return found
    return {'error': done.stderr or answers}


def record_here(folder: pathlib.Path) -> None:
    """Record the host that this runs on."""
    connection = runpy.run_path(str(_EMBEDDED))['get']().connection
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.timezone.utc)
    facts: dict[str, typing.Any] = {
        'recorded': now.date().isoformat(),
        'kernel': platform.release(),
        'libvirt': connection.getLibVersion(),
        'qemu': connection.getVersion(),
        '/dev/kvm': _ask_device(),
        '/sys/module': _ask_modules(),
        'refused': {},
    }
    (folder / 'capabilities.xml').write_text(connection.getCapabilities())
    for virt_type, machine in itertools.product(_VIRT_TYPES, _MACHINES):
        name = f'{virt_type}-{machine}'
        path = folder / f'{name}.xml'
        path.unlink(missing_ok=True)
        try:
            path.write_text(
                connection.getDomainCapabilities(
                    None, 'x86_64', machine, virt_type
                )
            )
        # The name of libvirt's error would have to be imported.
        except Exception as err:
            facts['refused'][name] = str(err)
    model = json.dumps(_ask_qemu(), indent=1, sort_keys=True)
    (folder / 'cpu-host.json').write_text(model + '\n')
    (folder / 'facts.json').write_text(json.dumps(facts, indent=1) + '\n')


def _record(name: str, data: pathlib.Path) -> int:
    folder = data / name
    spec = HOSTS[name]
    # A host of another release has a Python of its own.
    python = 'python3' if spec and spec.suite else sys.executable
    command = [python, '-m', 'tests.lab.record', '--here', str(folder)]
    if spec is None:
        return subprocess.run(command, check=False).returncode
    with tempfile.TemporaryDirectory() as out:
        command[-1] = os.path.join(os.path.realpath(out), name)
        result = lab.Lab(spec).run(command, outdir=out)
        sys.stderr.buffer.write(result.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        for path in pathlib.Path(command[-1]).glob('*'):
            (folder / path.name).write_bytes(path.read_bytes())
    return result.returncode


def main(argv: collections.abc.Sequence[str]) -> int:
    """Record hosts.

    :returns: the exit status: 1 when one could not be recorded.
    """
    parser = argparse.ArgumentParser(
        prog='python -m tests.lab.record',
        description='Record what hosts say of themselves.',
    )
    parser.add_argument('--here', type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument(
        '--data',
        type=pathlib.Path,
        default=_DATA,
        help='where to (default: %(default)s)',
    )
    parser.add_argument(
        'names', nargs='*', metavar='NAME', help=', '.join(HOSTS)
    )
    args = parser.parse_args(argv)
    if args.here:
        record_here(args.here)
        return 0
    unknown = set(args.names) - set(HOSTS)
    if unknown:
        parser.error(f'no such host: {", ".join(sorted(unknown))}')
    failed = 0
    for name in args.names or HOSTS:
        print(name, flush=True)
        failed |= bool(_record(name, args.data))
    return failed


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
