# SPDX-License-Identifier: Apache-2.0

"""The arguments of ``domain apply``."""

import argparse
import os
import pathlib

from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight.cmd import base
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import findings
from nova_hyperv_enlight.fleet import wish

#: What stands for standard input.
STDIN = '-'
#: The directory of former documents, in that of the user's state.
STATE = 'nova-hyperv-enlight'

_CODES = tuple(kind.code for kind in findings.KINDS.values() if kind.fix)
_SUFFIX = '.xml'


def add_guests(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which guests."""
    group = parser.add_argument_group('guests')
    group.add_argument(
        'domain',
        metavar='DOMAIN|FILE|-',
        nargs='?',
        help=(
            'the name of a domain; or a file with the XML of one, which has '
            f'a slash in it or ends in {_SUFFIX}; or standard input'
        ),
    )
    group.add_argument(
        '--all',
        action='store_true',
        help='all Windows guests of the connection',
    )
    group.add_argument(
        '--yes',
        action='store_true',
        help='with --all and --define: do not ask',
    )
    group.add_argument(
        '--force',
        action='store_true',
        help='also guests that Nova manages, and that are not Windows',
    )


def add_changes(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what they shall have."""
    group = parser.add_argument_group('what they shall have')
    group.add_argument(
        '--profile',
        metavar='NAME',
        help="all that this profile has (default: the options' own profile)",
    )
    arguments.add_toggle_arguments(group)
    group.add_argument(
        '--fix',
        metavar='CODE',
        action='append',
        default=[],
        choices=_CODES,
        help='cure these findings of "domain audit" (repeatable)',
    )


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what is done."""
    group = parser.add_argument_group('what is done')
    group.add_argument(
        '--print-xml',
        action='store_true',
        help='print the whole XML instead of the difference',
    )
    group.add_argument(
        '--define',
        action='store_true',
        help='let libvirt keep the change, or write it into the file',
    )
    group.add_argument(
        '--backup-dir',
        metavar='DIRECTORY',
        type=pathlib.Path,
        help=(
            f'where the former XML is kept (default: $XDG_STATE_HOME/{STATE})'
        ),
    )


def is_file(target: str) -> bool:
    """Whether a file or standard input is meant, and not a domain."""
    # The name of a domain has no slash.
    return target == STDIN or '/' in target or target.endswith(_SUFFIX)


def read_wish(parsed_args: argparse.Namespace) -> wish.Wish:
    """Return what the operator wants.

    :raises InvalidOption: by an option that cannot be used.
    :raises InvalidRequest: by a profile that there is not.
    """
    on, off = frozenset(parsed_args.on), frozenset(parsed_args.off)
    codes = frozenset(parsed_args.fix)
    return wish.Wish(
        conf=base.with_profile(
            base.read_settings(parsed_args), parsed_args.profile
        ),
        whole=bool(parsed_args.profile) or not (on or off or codes),
        on=on,
        off=off,
        codes=codes,
    )


def backup_directory(parsed_args: argparse.Namespace) -> pathlib.Path:
    """Return where former documents are kept.

    https://specifications.freedesktop.org/basedir-spec/latest/

    :raises InvalidRequest: nobody can tell.
    """
    if parsed_args.backup_dir is not None:
        return pathlib.Path(parsed_args.backup_dir)
    state = pathlib.Path(os.environ.get('XDG_STATE_HOME', ''))
    if not state.is_absolute():
        try:
            state = pathlib.Path.home() / '.local' / 'state'
        except RuntimeError as err:
            raise exception.InvalidRequest(
                reason=f'{err} Name a --backup-dir.'
            ) from err
    return state / STATE
