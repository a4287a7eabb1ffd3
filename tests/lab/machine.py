# SPDX-License-Identifier: Apache-2.0
"""Run QEMU: its arguments, its life and its end."""

import contextlib
import os
import pathlib
import signal
import subprocess

from tests.lab import image as lab_image
from tests.lab import packages
from tests.lab import spec as lab_spec

QEMU = 'qemu-system-x86_64'

# oops and panic: a kernel that stumbles ends the machine (with -no-reboot)
# and does not hang. mitigations and nokaslr: only slow the boot down here.
# tsc=reliable: TCG's counter is one for all processors, but the kernel can't
# know; without it KVM inside has no stable clock to build Hyper-V's
# reference page on, and every look at the time costs an exit to the HPET.
# loglevel: below warnings each line costs time, above nothing would tell.
_KERNEL_ARGUMENTS = (
    'console=ttyS0 loglevel=5 rdinit=/init panic=-1 oops=panic '
    'mitigations=off nokaslr tsc=reliable random.trust_cpu=on'
)


def arguments(
    spec: lab_spec.LabSpec,
    image: lab_image.Image,
    *,
    console: pathlib.Path,
    job: pathlib.Path,
    out: pathlib.Path,
    root: pathlib.Path,
    checkout: pathlib.Path,
    link: int | None = None,
) -> list[str]:
    """Build the whole command line of QEMU; nothing else adds to it.

    :param console: the file of the serial console.
    :param job: folder with the job's description, shared read-write.
    :param out: folder for the command's files, shared read-write.
    :param root: the host's files.
    :param checkout: folder that may not be among them.
    :param link: the descriptor of the link to another lab.
    """
    return [
        packages.require_tool(QEMU, 'qemu-system-x86'),
        '-name', 'nova-hyperv-enlight-lab',
        '-nodefaults',
        '-no-user-config',
        '-no-reboot',
        '-display', 'none',
        *_network(spec, link),
        '-machine', 'q35',
        '-accel', 'tcg,thread=multi',
        '-cpu', spec.cpu_model,
        '-smp', str(spec.cpus),
        '-m', f'{spec.memory_mib}M',
        '-kernel', str(image.kernel),
        '-initrd', str(image.initramfs),
        '-append', _KERNEL_ARGUMENTS,
        '-chardev', f'file,id=console,path={_escape(console)}',
        '-serial', 'chardev:console',
        *_share('host', root, ',readonly=on'),
        *_share('checkout', checkout, ',readonly=on'),
        *_share('job', job),
        *_share('out', out),
    ]  # fmt: skip


def _network(spec: lab_spec.LabSpec, link: int | None) -> list[str]:
    if link is None:
        return ['-nic', 'none']
    # The two ends must differ, as their addresses do.
    last = int(str(spec.address).rpartition('.')[2])
    return [
        '-netdev',
        f'socket,id=link,fd={link}',
        '-device',
        # It is no disk that anybody boots from.
        f'virtio-net-pci,netdev=link,mac=52:54:00:00:00:{last:02x},romfile=',
    ]


def _share(tag: str, path: pathlib.Path, more: str = '') -> list[str]:
    # security_model=none: the files are the caller's own, whoever the lab's
    # root says he is. remap: a host's root has other file systems below it,
    # whose inode numbers may be the same.
    return [
        '-virtfs',
        f'local,mount_tag={tag},path={_escape(path)},security_model=none,'
        f'multidevs=remap{more}',
    ]


def _escape(path: pathlib.Path) -> str:
    """Write a path so that QEMU doesn't take its commas for its own."""
    return str(path).replace(',', ',,')


class Machine:
    """A QEMU process that doesn't outlive the block it is used in.

    :param argv: what arguments() gave.
    :param log: the file for QEMU's own output.
    :param link: a descriptor that it inherits.
    """

    def __init__(
        self, argv: list[str], log: pathlib.Path, link: int | None = None
    ) -> None:
        # The kernel kills QEMU when the thread that started it is gone, so
        # even a parent that is killed leaves nothing running. As a program
        # of its own: a preexec_fn isn't safe in a process with threads.
        tool = packages.require_tool('setpriv', 'util-linux')
        self._argv = [tool, '--pdeathsig', 'KILL', '--', *argv]
        self._log = log
        self._inherited = () if link is None else (link,)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> 'Machine':
        with open(self._log, 'wb') as log:
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=self._inherited,
            )
        return self

    def __exit__(self, *error: object) -> None:
        process = self.process
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process of QEMU."""
        if self._process is None:
            raise RuntimeError('the machine was not started')
        return self._process
