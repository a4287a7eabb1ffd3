# SPDX-License-Identifier: Apache-2.0

"""Commands whose help ends with an example, cliff's own among them."""

import inspect

from cliff import command
from cliff import complete
from cliff import help as cliff_help

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
        return self._docstring()[0]

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


class Help(ExampleCommand, cliff_help.HelpCommand):
    """Print the help of another command

    Example: nova-hyperv-enlight help host show
    """
