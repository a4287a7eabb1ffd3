# SPDX-License-Identifier: Apache-2.0

"""What the commands share that boot the probe on this machine."""

import argparse
import collections.abc
import contextlib
import functools
import threading
import typing
import urllib.parse

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight.cmd import hosts
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.guest import boot
from nova_hyperv_enlight.guest import matrix
from nova_hyperv_enlight.guest import verify
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.host import probe
from nova_hyperv_enlight.host import protocols

#: How often a guest's timeout all guests of a matrix may take together.
_MATRIX = 4


class ProbingCommand(base.EnlightCommand):
    """A command that boots the probe, and can be interrupted then."""

    def boots(self, parsed_args: argparse.Namespace) -> bool:
        """Whether it boots the probe this time."""
        return True

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run the command.

        :returns: the exit code.
        """
        if not self.boots(parsed_args):
            return super().run(parsed_args)
        with base.stoppable() as stopped:
            parsed_args.stop = stopped.event
            code = super().run(parsed_args)
        return stopped.code or code


def add_timeout_argument(parser: argparse._ActionsContainer) -> None:
    """Add the argument that says how long a guest may take."""
    parser.add_argument(
        '--timeout',
        metavar='SECONDS',
        type=arguments.seconds,
        help=(
            'how long a guest may take until it has written its report; '
            f'many guests together take at most {_MATRIX} times as long '
            f'(default: {boot.TIMEOUT_SECONDS:g})'
        ),
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say where and how the probe boots."""
    group = parser.add_argument_group('guest')
    group.add_argument(
        '--connect',
        metavar='URI',
        default='qemu:///system',
        help='libvirt connection, to this machine (default: %(default)s)',
    )
    group.add_argument(
        '--machine', help="machine type of the guest (default: libvirt's own)"
    )
    group.add_argument(
        '--virt-type',
        choices=('kvm', 'qemu'),
        help=f'domain type of the guest (default: {arguments.VIRT_TYPE})',
    )
    add_timeout_argument(group)


@contextlib.contextmanager
def connection(
    parsed_args: argparse.Namespace,
) -> collections.abc.Iterator[typing.Any]:
    """Open the connection that the arguments name, and close it.

    :raises CannotConnect: libvirt does not answer, or is another machine's.
    """
    opened, local = hosts.connect(parsed_args.connect)
    try:
        if not local:
            raise exception.CannotConnect(
                uri=parsed_args.connect,
                reason='the probe boots on a QEMU of this machine only',
            )
        if urllib.parse.urlsplit(parsed_args.connect).path == '/embed':
            run_events()
        yield opened
    finally:
        opened.close()


@functools.cache
def run_events() -> None:
    """Run libvirt's events: the embedded driver lives in this process.

    Once: two loops would both see the end of a guest, and the slower one
    would take it for the end of the next guest that gets its descriptor.
    """
    import libvirt

    def run() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=run, name='libvirt-events', daemon=True).start()


def conditions(parsed_args: argparse.Namespace) -> boot.Conditions:
    """Return what the arguments bind a boot to."""
    return boot.Conditions(
        timeout=parsed_args.timeout or boot.TIMEOUT_SECONDS,
        stop=parsed_args.stop,
    )


def virt_type(parsed_args: argparse.Namespace) -> str:
    """Return the domain type of the guests."""
    return parsed_args.virt_type or arguments.VIRT_TYPE


def sources(
    parsed_args: argparse.Namespace, connection: protocols.Connection
) -> capabilities.Sources:
    """Return what is known of this machine."""
    return probe.ask(
        lambda: connection,
        arguments.ARCH,
        parsed_args.machine,
        virt_type(parsed_args),
        kvm.ask(),
    )


def look_at_each(
    parsed_args: argparse.Namespace,
    connection: typing.Any,
    stderr: typing.TextIO,
    arch: str = arguments.ARCH,
) -> tuple[verify.Observation, ...]:
    """Look at each enlightenment alone; progress is shown on a terminal.

    :param arch: the guests' architecture.
    :raises GuestFailed: not even a guest without any can be read, or it
        takes too long.
    :raises Interrupted: a signal came.
    """
    bound = conditions(parsed_args)

    def tell(done: int) -> None:
        if stderr.isatty():
            # The line of the one before is written over.
            stderr.write(f'\r{done} of {len(enlightenments.ENLIGHTENMENTS)}')
            stderr.flush()

    try:
        return matrix.look(
            matrix.boots(
                connection,
                bound,
                virt_type=virt_type(parsed_args),
                arch=arch,
                machine=parsed_args.machine,
            ),
            sources(parsed_args, connection).vendor,
            seconds=_MATRIX * bound.timeout,
            stop=bound.stop,
            tell=tell,
        )
    finally:
        if stderr.isatty():
            stderr.write('\r\033[K')


def refusals(
    findings: collections.abc.Iterable[verify.Observation],
) -> list[str]:
    """Return why no guest starts with what, the same reason once."""
    names: dict[str, list[str]] = {}
    for finding in findings:
        if finding.text:
            names.setdefault(finding.text, []).append(finding.name)
    return [f'{", ".join(some)}: {text}' for text, some in names.items()]
