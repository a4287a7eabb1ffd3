# SPDX-License-Identifier: Apache-2.0

"""The arguments that commands share."""

import argparse
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.fleet import audits

# Named, because the manual page shows argparse's %(default)s as it stands.
_URI = 'qemu:///system'
ARCH = 'x86_64'
VIRT_TYPE = 'kvm'
_NAMES = tuple(enlightenments.ENLIGHTENMENTS)


class KeyValue(argparse.Action):
    """Collects repeated KEY=VALUE arguments into a dictionary."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: typing.Any,
        option_string: str | None = None,
    ) -> None:
        key, separator, value = values.partition('=')
        if not key or not separator:
            raise argparse.ArgumentError(
                self, f'{values!r} is not of the form KEY=VALUE'
            )
        collected = dict(getattr(namespace, self.dest) or {})
        if key in collected:
            raise argparse.ArgumentError(self, f'{key} is there twice')
        collected[key] = value
        setattr(namespace, self.dest, collected)


def _version(text: str) -> model.Version:
    parts = text.split('.')
    if not 2 <= len(parts) <= 3 or not all(part.isdigit() for part in parts):
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a release such as 9.0.0'
        )
    major, minor, micro = (*(int(part) for part in parts), 0)[:3]
    return major, minor, micro


def seconds(text: str) -> float:
    """Return a number of seconds that a person could wait for."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= 3600:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a number of seconds up to 3600'
        )
    return found


def add_host_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which host is meant."""
    group = parser.add_argument_group('host')
    source = group.add_mutually_exclusive_group()
    add_connect_argument(source)
    source.add_argument(
        '--domcaps',
        metavar='FILE',
        help=(
            'a saved document of "virsh domcapabilities" instead of a '
            'connection'
        ),
    )
    group.add_argument(
        '--arch', help=f'architecture to ask libvirt about (default: {ARCH})'
    )
    group.add_argument(
        '--machine',
        help="machine type to ask libvirt about (default: libvirt's own)",
    )
    group.add_argument(
        '--virt-type',
        help=f'domain type to ask libvirt about (default: {VIRT_TYPE})',
    )
    add_release_arguments(group)


def add_connect_argument(group: argparse._ActionsContainer) -> None:
    """Add the argument that names a libvirt."""
    group.add_argument(
        '--connect',
        metavar='URI',
        default=_URI,
        help=f'libvirt connection (default: {_URI})',
    )


def add_release_arguments(group: argparse._ActionsContainer) -> None:
    """Add the arguments that say what a saved document does not."""
    for what in ('libvirt', 'qemu'):
        group.add_argument(
            f'--{what}-version',
            metavar='RELEASE',
            type=_version,
            help=(
                f'release of {what} on the host, for use without a connection'
            ),
        )


def add_image_argument(parser: argparse.ArgumentParser, text: str) -> None:
    """Add the argument that gives properties of an image."""
    parser.add_argument(
        '--image',
        metavar='KEY=VALUE',
        action=KeyValue,
        default={},
        help=f'{text} (repeatable)',
    )


def add_option_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that stand for nova.conf."""
    group = parser.add_argument_group('options')
    group.add_argument(
        '--config-file',
        metavar='FILE',
        action='append',
        default=[],
        help='read [hyperv_enlight] from this nova.conf (repeatable)',
    )
    group.add_argument(
        '--option',
        metavar='KEY=VALUE',
        action=KeyValue,
        default={},
        help='an option of [hyperv_enlight] (repeatable)',
    )


def add_answer_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say who tells of the host of guests."""
    group = parser.add_argument_group('host')
    add_connect_argument(group)
    group.add_argument(
        '--domcaps',
        metavar='FILE',
        help=(
            'what the host offers, by a saved document of "virsh '
            'domcapabilities" instead of by the connection'
        ),
    )
    add_release_arguments(group)


def add_finding_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which findings are shown, and how."""
    parser.add_argument(
        '--long',
        action='store_true',
        help='a row for each finding, not for each guest',
    )
    parser.add_argument(
        '--severity',
        metavar='LEVEL',
        choices=audits.SEVERITIES,
        default=model.Severity.NO_EFFECT.word,
        help=(
            'show what is as bad as this, or worse: '
            f'{", ".join(audits.SEVERITIES)} (default: everything)'
        ),
    )


def add_toggle_arguments(
    group: argparse._ActionsContainer, beside: str = ''
) -> None:
    """Add the arguments that turn single enlightenments on and off.

    :param beside: what they do so beside, for the help.
    """
    for word in ('on', 'off'):
        group.add_argument(
            f'--{word}',
            metavar='NAME',
            action='append',
            default=[],
            choices=_NAMES,
            help=f'turn this {word}{beside} (repeatable)',
        )
