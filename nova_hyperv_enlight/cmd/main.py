# SPDX-License-Identifier: Apache-2.0

"""The program ``nova-hyperv-enlight``."""

import importlib.metadata
import sys

from cliff import app
from cliff import commandmanager

#: The distribution and the program have the same name.
NAME = 'nova-hyperv-enlight'


class EnlightApp(app.App):
    """Hyper-V enlightenments of libvirt guests: what, where and why.

    Exit codes: 0 fine, 1 unexpected, 2 bad input or cannot run, 3 findings.
    """

    NAME = NAME

    def __init__(self) -> None:
        super().__init__(
            description=self.__doc__,
            version=importlib.metadata.version(NAME),
            command_manager=commandmanager.CommandManager(
                'nova_hyperv_enlight.commands'
            ),
            deferred_help=True,
        )


def main(argv: list[str] | None = None) -> int:
    """Run the program.

    :param argv: the arguments, without the program's name.
    :returns: the exit code: 0 fine, 1 unexpected, 2 bad input or cannot
        run, 3 findings.
    """
    argv = sys.argv[1:] if argv is None else argv
    # Without a command cliff would open a shell of its own.
    return EnlightApp().run(argv or ['--help'])
