# SPDX-License-Identifier: Apache-2.0

import ast
import importlib.metadata
import inspect
import pathlib
import shlex
import shutil
import subprocess
import sys

import ddt
import testtools

from nova_hyperv_enlight.cmd import main
from tests.unit.cmd import base

_DISTRIBUTION = importlib.metadata.distribution(main.NAME)
_DOC = pathlib.Path(__file__).parents[3] / 'doc' / 'source'
#: Every command, with cliff's own two.
COMMANDS = sorted(name for name, _ in main.EnlightApp().command_manager)
#: Those whose example touches no host.
_HARMLESS = ('complete', 'convert', 'help', 'profile list', 'profile show')
_REDIRECTIONS = ('<', '>', '|')


def example(text):
    """Return the last paragraph of a help, as the words of a command."""
    paragraph = text.strip().rpartition('\n\n')[2]
    words = shlex.split(paragraph.removeprefix('Example: '))
    # The shell's, not the program's.
    for place, word in enumerate(words):
        if word.startswith(_REDIRECTIONS):
            return words[:place]
    return words


@ddt.ddt
class HelpTestCase(base.CommandTestCase):
    """Walks every command: its help ends with an example, which is right."""

    def help_of(self, command):
        result = self.call(*command.split(), '--help')
        self.assertEqual((0, ''), (result.code, result.err))
        return result.out

    @ddt.data(*COMMANDS)
    def test_the_help_ends_with_an_example(self, command):
        paragraph = self.help_of(command).strip().rpartition('\n\n')[2]

        self.assertTrue(
            paragraph.startswith(f'Example: {main.NAME} {command}'), paragraph
        )

    @ddt.data(*COMMANDS)
    def test_a_full_stop_parts_the_title_from_what_follows(self, command):
        out = ' '.join(self.help_of(command).split())
        factory, _, _ = main.EnlightApp().command_manager.find_command(
            command.split()
        )
        title, *rest = inspect.getdoc(factory).split('\n\n')

        self.assertIn(title, out)
        for paragraph in rest[:-1][:1]:
            first = ' '.join(paragraph.split()[:4])
            self.assertIn(f'{" ".join(title.split())}. {first}', out)

    @ddt.data(*COMMANDS)
    def test_the_example_is_right_usage(self, command):
        _, *words = example(self.help_of(command))
        manager = main.EnlightApp().command_manager

        factory, name, arguments = manager.find_command(words)

        self.assertEqual(command, name)
        parser = factory(main.EnlightApp(), None).get_parser(command)
        # Wrong usage exits.
        parser.parse_args(arguments)

    @ddt.data(*_HARMLESS)
    def test_the_example_runs(self, command):
        _, *words = example(self.help_of(command))

        result = self.call(*words)

        self.assertEqual(0, result.code, result.err)
        self.assertNotEqual('', result.out)

    @ddt.data(*COMMANDS)
    def test_the_first_line_is_what_the_list_shows(self, command):
        listed = {
            line.strip().split('  ')[0]: line.strip().split('  ')[-1]
            for line in self.call('--help')
            .out.partition('Commands:')[2]
            .splitlines()
        }

        self.assertIn(
            ' '.join(listed[command].split()),
            ' '.join(self.help_of(command).split()),
        )


@ddt.ddt
class CompletionTestCase(base.CommandTestCase):
    """Shell completion knows every command and every option."""

    def setUp(self):
        super().setUp()
        result = self.call('complete', '--shell', 'none')
        self.assertEqual((0, ''), (result.code, result.err))
        self.words = {}
        for line in result.out.splitlines():
            name, _, words = line.strip().partition('=')
            self.words[name] = words.strip("'").split()

    @ddt.data(*COMMANDS)
    def test_a_command(self, command):
        *group, last = command.split()

        self.assertIn(last, self.words['_'.join(['cmds', *group])])

    @ddt.data(*COMMANDS)
    def test_its_options(self, command):
        manager = main.EnlightApp().command_manager
        factory, _, _ = manager.find_command(command.split())
        parser = factory(main.EnlightApp(), None).get_parser(command)

        self.assertEqual(
            {
                option
                for action in parser._actions
                for option in action.option_strings
            },
            set(self.words['_'.join(['cmds', *command.split()])]),
        )

    def test_the_shells_own_part(self):
        out = self.call('complete').out

        self.assertTrue(
            out.endswith(
                'complete -F _nova_hyperv_enlight nova-hyperv-enlight\n'
            )
        )


@ddt.ddt
class BashTestCase(testtools.TestCase):
    """Bash itself completes.

    Not a unit test case: those may start no process.
    """

    PROGRAM = (
        'from nova_hyperv_enlight.cmd import main; main.main(["complete"])'
    )
    # What bash-completion would have found on the line.
    SCRIPT = """
_get_comp_words_by_ref() {{ words=({words}); cur={current}; }}
eval "$({python} -c '{program}')"
_nova_hyperv_enlight
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

    def complete(self, *words):
        """Return what bash offers for the last of these words."""
        script = self.SCRIPT.format(
            words=shlex.join([main.NAME, *words]),
            current=shlex.quote(words[-1]),
            python=shlex.quote(sys.executable),
            program=self.PROGRAM,
        )
        done = subprocess.run(
            ['bash', '-c', script], capture_output=True, text=True
        )
        self.assertEqual('', done.stderr)
        return done.stdout.split()

    @ddt.data(
        (('conv',), ['convert']),
        (('profile', ''), ['list', 'show']),
        (('host', 'sh'), ['show']),
        (('convert', '--t'), ['--to']),
        (('guest', 'verify', '--ea'), ['--each']),
    )
    @ddt.unpack
    def test_complete(self, words, expected):
        if not shutil.which('bash'):
            self.skipTest('there is no bash')

        self.assertEqual(expected, self.complete(*words))


class ManualPagesTestCase(base.CommandTestCase):
    """The documentation has a manual page for every program."""

    def test_every_program_has_one(self):
        tree = ast.parse((_DOC / 'conf.py').read_text())
        (pages,) = (
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign)
            and node.targets[0].id == 'man_pages'
        )

        self.assertEqual(
            {
                point.name
                for point in _DISTRIBUTION.entry_points.select(
                    group='console_scripts'
                )
            },
            {name for _, name, *_ in pages},
        )
        for document, name, *_ in pages:
            text = (_DOC / f'{document}.rst').read_text()
            self.assertIn(f'\n{name}\n', text)
