# SPDX-License-Identifier: Apache-2.0

"""The command ``convert``."""

import argparse
import shlex
import sys

from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.notation import convert

#: The exit code where the new notation does not say all that the old one did.
INCOMPLETE = 3

# Longer than any domain; it only keeps a device from being read for ever.
_MAX_BYTES = 1 << 20
_STDIN = '-'


class Convert(base.EnlightCommand):
    """Write enlightenments in another notation

    Reads QEMU's -cpu or a command line that has it, a libvirt domain or its
    <features> and <clock>, virt-xml or virt-install options, a KubeVirt
    virtual machine, a Proxmox VE guest's configuration or its CPU flags, or
    names. A CPU model and other features are named and left out.

    Exit code 3: the new notation cannot express all of it; what is missing
    is named.

    Example: nova-hyperv-enlight convert --to libvirt
    host,hv_relaxed,hv_spinlocks=0x1fff,hv_vapic,hv_time
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the command's parser."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--from',
            dest='source',
            choices=tuple(convert.NOTATIONS),
            help='notation of the text (default: the one that it looks like)',
        )
        parser.add_argument(
            '--to',
            dest='target',
            required=True,
            choices=tuple(convert.NOTATIONS),
            help='notation to write it in',
        )
        parser.add_argument(
            'text',
            metavar='TEXT',
            nargs='*',
            help=(
                'the text; a dash, or nothing, is the standard input. Put -- '
                'before one that begins with a dash'
            ),
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Convert the text.

        :returns: the exit code.
        :raises InvalidRequest: the notation cannot be recognised.
        :raises MalformedDocument: the text cannot be read.
        """
        converted = convert.convert(
            _text(parsed_args.text), parsed_args.source, parsed_args.target
        )
        self.app.stdout.write(f'{converted.text}\n')
        if converted.aside:
            self.app.LOG.info(
                'Left aside, as they are no enlightenments: %s',
                ', '.join(converted.aside),
            )
        for note in converted.notes:
            self.app.LOG.info('%s', note)
        for loss in converted.losses:
            self.app.LOG.warning('Not in it: %s: %s', loss.word, loss.reason)
        return INCOMPLETE if converted.losses else 0


def _text(words: list[str]) -> str:
    """Return the text that the arguments stand for."""
    if words in ([], [_STDIN]):
        return _decode(sys.stdin.buffer.read(_MAX_BYTES + 1))
    # Whoever gives several words has let the shell split a command line.
    return words[0] if len(words) == 1 else shlex.join(words)


def _decode(data: bytes) -> str:
    if len(data) > _MAX_BYTES:
        raise exception.MalformedDocument(
            document='the standard input',
            reason=f'it is longer than {_MAX_BYTES} bytes',
        )
    try:
        return data.decode()
    except UnicodeDecodeError as err:
        raise exception.MalformedDocument(
            document='the standard input', reason=err
        ) from err
