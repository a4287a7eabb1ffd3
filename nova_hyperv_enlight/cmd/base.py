# SPDX-License-Identifier: Apache-2.0

"""What the commands share: their errors and their options."""

import argparse
import collections.abc
import contextlib
import dataclasses
import inspect
import itertools
import signal
import threading
import typing

from cliff import app
from cliff import command
from cliff import complete
from cliff import help as cliff_help
from oslo_config import cfg

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import spelling
from nova_hyperv_enlight.conf import hyperv_enlight
from nova_hyperv_enlight.conf import reader
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import settings

_EXAMPLE = 'Example: '


class ExampleCommand(command.Command):
    """A command whose docstring ends with an example.

    Its last paragraph begins with ``Example:``, and is what the help ends
    with.
    """

    def _docstring(self) -> tuple[str, str]:
        """Return the description and the example."""
        text = inspect.getdoc(type(self)) or ''
        description, _, last = text.rpartition('\n\n')
        if not last.startswith(_EXAMPLE):
            return text, ''
        return description, ' '.join(last.split())

    def get_description(self) -> str:
        """Return what stands before the arguments."""
        title, *rest = self._docstring()[0].split('\n\n', 1)
        # argparse joins the paragraphs; a title has no full stop by itself.
        return '.\n\n'.join([title, *rest])

    def get_epilog(self) -> str:
        """Return what stands after the arguments."""
        # cliff's own says which package a command is from, for which it
        # looks at all the packages that are installed.
        example = self._docstring()[1]
        if self.app is None:
            # It is for the manual page, which is reStructuredText.
            return f'{_EXAMPLE.strip()}:\n\n    {example[len(_EXAMPLE) :]}'
        return example


class Complete(ExampleCommand, complete.CompleteCommand):
    """Print the completion for a shell

    Bash, with its package bash-completion, reads it from a file.

    Example: nova-hyperv-enlight complete
    >/etc/bash_completion.d/nova-hyperv-enlight
    """


def refuse_command(program: app.App, words: list[str]) -> None:
    """Say that there is no such command, and which one was meant.

    cliff says so on the standard output.

    :param program: whose command it was taken for.
    :param words: what was taken for its name and its arguments.
    """
    # Its name ends where its arguments begin.
    name = ' '.join(itertools.takewhile(lambda word: word[:1] != '-', words))
    if not name:
        program.LOG.error(
            '%s',
            f'Unknown option {words[0]!r} before the command. The options of '
            'a command follow its name.',
        )
        return
    known = sorted(command for command, _ in program.command_manager)
    group = [each for each in known if each.startswith(f'{name} ')]
    program.LOG.error(
        '%s',
        f'{name!r} is not a command. Its commands: {", ".join(group)}.'
        if group
        else spelling.unknown('command', name, known),
    )


class Help(ExampleCommand, cliff_help.HelpCommand):
    """Print the help of another command

    Example: nova-hyperv-enlight help host show
    """

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run the command.

        :returns: the exit code; 2 where there is no such command.
        """
        try:
            return super().run(parsed_args)
        except ValueError:
            # It is what cliff raises where it finds no command.
            refuse_command(self.app, parsed_args.cmd)
            return CANNOT_RUN


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: A shell's exit code for a signal, less the signal's number.
_INTERRUPTED = 128


@dataclasses.dataclass(slots=True)
class Stopped:
    """Whether the program was told to stop.

    :ivar event: is set then.
    :ivar signal: the signal's number, else 0.
    """

    event: threading.Event = dataclasses.field(default_factory=threading.Event)
    signal: int = 0

    @property
    def code(self) -> int:
        """The exit code then, else 0."""
        return _INTERRUPTED + self.signal if self.signal else 0


@contextlib.contextmanager
def stoppable() -> collections.abc.Iterator[Stopped]:
    """Turn signals into an event.

    An exception could come between any two steps; this way guests and files
    are removed in peace, also at the second Ctrl-C.
    """
    stopped = Stopped()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return

    def stop(number: int, frame: object) -> None:
        stopped.signal = number
        stopped.event.set()

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


#: The exit code of bad input, and of what cannot run.
CANNOT_RUN = 2
#: The exit code where something was found.
FINDINGS = 3
#: What a command shows: the columns and the rows.
Table = tuple[
    collections.abc.Sequence[str],
    collections.abc.Iterable[collections.abc.Sequence[typing.Any]],
]


class EnlightCommand(ExampleCommand):
    """A command whose foreseen errors are one line and exit code 2."""

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run the command.

        :returns: the exit code.
        """
        try:
            return super().run(parsed_args)
        except exception.EnlightException as err:
            self.app.LOG.error('%s', err)
            return CANNOT_RUN


class FindingsCommand(EnlightCommand):
    """A command that tells by its exit code whether it has found anything.

    :ivar found: how much it has found.
    """

    found = 0

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Run the command.

        :returns: the exit code; 3 where something was found.
        """
        return super().run(parsed_args) or (FINDINGS if self.found else 0)


def read_settings(parsed_args: argparse.Namespace) -> settings.Settings:
    """Return the settings that the arguments stand for.

    :raises InvalidOption: an option that does not exist, or cannot be used.
    """
    conf = cfg.ConfigOpts()
    hyperv_enlight.register_opts(conf)
    try:
        conf(
            [],
            project='nova',
            default_config_files=parsed_args.config_file,
            default_config_dirs=[],
        )
    except cfg.Error as err:
        raise exception.InvalidOption(
            option='--config-file', reason=err
        ) from err
    for key, value in parsed_args.option.items():
        try:
            conf.set_override(key, value, group='hyperv_enlight')
        except cfg.NoSuchOptError as err:
            known = [opt.name for opt in hyperv_enlight.ALL_OPTS]
            raise exception.InvalidOption(
                option=key,
                reason=(
                    f'{key!r} is not an option.{spelling.hint(key, known)} '
                    f'Allowed are {", ".join(known)}.'
                ),
            ) from err
        except ValueError as err:
            raise exception.InvalidOption(option=key, reason=err) from err
    return reader.read(conf)


def find_profile(conf: settings.Settings, name: str) -> profiles.Profile:
    """Return the profile of that name.

    :raises InvalidRequest: there is no such profile.
    """
    if name not in conf.known_profiles:
        raise exception.InvalidRequest(
            reason=spelling.unknown('profile', name, conf.known_profiles)
        )
    return conf.known_profiles[name]


def with_profile(
    conf: settings.Settings, name: str | None
) -> settings.Settings:
    """Return settings with another profile.

    :param name: the profile, None for the settings' own.
    :raises InvalidRequest: there is no such profile.
    """
    if name is None:
        return conf
    find_profile(conf, name)
    return dataclasses.replace(conf, profile=name)
