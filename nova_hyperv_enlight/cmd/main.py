# SPDX-License-Identifier: Apache-2.0

"""The program ``nova-hyperv-enlight``."""

import importlib.metadata
import sys

from cliff import app
from cliff import commandmanager

from nova_hyperv_enlight.cmd import base

#: The distribution and the program have the same name.
NAME = 'nova-hyperv-enlight'


class CommandManager(commandmanager.CommandManager):
    """The commands of this distribution, each imported when it is run.

    cliff's own imports all of them first, and for that looks at all the
    packages that are installed: that takes longer than most commands.
    """

    def load_commands(self, namespace: str) -> None:
        """Find the commands of a namespace.

        :param namespace: the group of their entry points.
        """
        self.group_list.append(namespace)
        found = importlib.metadata.distribution(NAME).entry_points
        for point in found.select(group=namespace):
            self.commands[point.name.replace('_', ' ')] = point


class EnlightApp(app.App):
    """Hyper-V enlightenments of libvirt guests: what, where and why.

    Exit codes: 0 fine, 1 unexpected, 2 bad input or cannot run, 3 findings.
    """

    NAME = NAME

    def __init__(self) -> None:
        super().__init__(
            description=self.__doc__,
            version=importlib.metadata.version(NAME),
            command_manager=CommandManager('nova_hyperv_enlight.commands'),
            deferred_help=True,
        )
        # In place of cliff's, which have no example.
        self.command_manager.add_command('complete', base.Complete)
        self.command_manager.add_command('help', base.Help)

    def run_subcommand(self, argv: list[str]) -> int:
        """Run a command.

        :param argv: its name and its arguments.
        :returns: the exit code; 2 where there is no such command.
        """
        try:
            self.command_manager.find_command(argv)
        except ValueError:
            base.refuse_command(self, argv)
            return base.CANNOT_RUN
        return super().run_subcommand(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the program.

    :param argv: the arguments, without the program's name.
    :returns: the exit code: 0 fine, 1 unexpected, 2 bad input or cannot
        run, 3 findings.
    """
    argv = sys.argv[1:] if argv is None else argv
    # Without a command cliff would open a shell of its own.
    return EnlightApp().run(argv or ['--help'])
