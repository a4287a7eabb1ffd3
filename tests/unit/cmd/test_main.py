# SPDX-License-Identifier: Apache-2.0

import importlib.metadata
import io
import json
import subprocess
import sys
import warnings

from cliff import display
import ddt
import fixtures
import testtools

from nova_hyperv_enlight.cmd import main
from nova_hyperv_enlight.cmd import profile
from nova_hyperv_enlight.cmd import tables
from tests.unit.cmd import base

COMMANDS = (
    'domain audit',
    'explain',
    'fleet audit',
    'fleet baseline',
    'fleet check',
    'host show',
    'profile list',
    'profile show',
)


@ddt.ddt
class MainTestCase(base.CommandTestCase):
    def test_no_command_prints_the_help(self):
        result = self.call()

        self.assertEqual((0, ''), (result.code, result.err))
        self.assertTrue(result.out.startswith('usage: nova-hyperv-enlight '))

    def test_no_command_prints_what_help_prints(self):
        self.assertEqual(self.call('--help').out, self.call().out)

    @ddt.data(*COMMANDS)
    def test_help_lists_the_command(self, command):
        self.assertRegex(self.call('--help').out, rf'\n  {command} +\w')

    def test_help_explains_the_exit_codes(self):
        self.assertIn(
            'Exit codes: 0 fine, 1 unexpected, 2 bad input or cannot run, 3 '
            'findings.',
            ' '.join(self.call('--help').out.split()),
        )

    @ddt.data(*COMMANDS)
    def test_help_of_a_command(self, command):
        result = self.call(*command.split(), '--help')

        self.assertEqual((0, ''), (result.code, result.err))
        self.assertIn(f'usage: nova-hyperv-enlight {command} ', result.out)
        self.assertIn('Example: nova-', result.out)

    def test_version(self):
        result = self.call('--version')

        version = importlib.metadata.version('nova-hyperv-enlight')
        self.assertEqual(0, result.code)
        # cliff names the script; that it is ours, tests/install checks.
        self.assertTrue(result.out.endswith(f' {version}\n'), result.out)

    @ddt.data('bogus', 'banana')
    def test_unknown_command(self, command):
        for argv in ([command], ['help', command]):
            result = self.call(*argv)

            self.assertRefused(result, f"Unknown command '{command}'.")

    @ddt.data(
        ('explan', "Unknown command 'explan'. Did you mean explain? "),
        ('hots show', 'Did you mean host show? '),
        ('domain', "'domain' is not a command. Its commands: domain a"),
    )
    @ddt.unpack
    def test_the_command_that_was_meant(self, written, expected):
        words = written.split()

        self.assertRefused(self.call(*words), expected)

    def test_an_option_is_no_part_of_a_commands_name(self):
        self.assertRefused(
            self.call('explan', '--profile', 'bogus'), "command 'explan'. "
        )

    def test_an_option_before_the_command(self):
        self.assertRefused(
            self.call('-c', 'name', 'host', 'show'),
            "Unknown option '-c' before the command. The options of a "
            'command follow its name.',
        )

    @ddt.data(
        ('explain', '--bogus'),
        ('host', 'show', '--domcaps'),
        ('profile', 'show'),
        ('profile', 'list', 'extra'),
        ('host', 'show', '-f', 'xml'),
        ('host', 'show', '--connect', 'qemu:///', '--domcaps', 'file'),
    )
    def test_wrong_usage(self, argv):
        result = self.call(*argv)

        self.assertEqual((2, ''), (result.code, result.out))
        self.assertNotIn('Traceback', result.err)
        self.assertIn('usage: ', result.err)


@ddt.ddt
class ColumnsTestCase(base.CommandTestCase):
    """A column that the table has not is bad input, in every command."""

    def test_every_table_checks_its_columns(self):
        manager = main.EnlightApp().command_manager
        tabular = [
            factory
            for name, _ in manager
            if issubclass(
                factory := manager.find_command(name.split())[0],
                display.DisplayCommandBase,
            )
        ]

        self.assertTrue(tabular)
        for factory in tabular:
            self.assertTrue(
                issubclass(factory, (tables.Lister, tables.ShowOne)), factory
            )

    @ddt.data(
        ('-c', 'bogus'),
        ('-c', 'bogus', '-f', 'json'),
        # What is known beside it does not make it good.
        ('-c', 'name', '-c', 'bogus'),
        ('--sort-column', 'bogus'),
    )
    def test_unknown_column_of_a_list(self, argv):
        self.assertRefused(
            self.call('profile', 'list', *argv),
            "Unknown column 'bogus'. Available columns: name, mode, on, ",
        )

    def test_unknown_column_of_one_thing(self):
        self.assertRefused(
            self.call('profile', 'show', 'baseline', '-c', 'sumary'),
            "Unknown column 'sumary'. Did you mean summary? ",
        )

    @ddt.data('needs libvirt', 'needs_libvirt', 'Needs Libvirt')
    def test_cliffs_spellings_stay(self, column):
        result = self.call(
            'profile', 'show', 'baseline', '-f', 'value', '-c', column
        )

        self.assertEqual((0, ''), (result.code, result.err))
        self.assertEqual('0.0.0\n', result.out)


class ListsTestCase(base.CommandTestCase):
    """Python's brackets are in no format."""

    class Shown(tables.Lister):
        """Show a list"""

        def take_action(self, parsed_args):
            cell = tables.Names(['a', 'b'])
            return ('name', 'missing'), [('x', cell)]

    def show(self, format):
        app = main.EnlightApp()
        app.command_manager.add_command('shown', self.Shown)
        app.stdout = io.StringIO()
        self.assertEqual(0, app.run(['shown', '-f', format]))
        return app.stdout.getvalue()

    def test_formats_without_lists(self):
        self.assertEqual('x a b\n', self.show('value'))
        self.assertEqual('"name","missing"\n"x","a b"\n', self.show('csv'))

    def test_formats_with_lists(self):
        self.assertEqual(
            [{'name': 'x', 'missing': ['a', 'b']}],
            json.loads(self.show('json')),
        )


class WarningsTestCase(base.CommandTestCase):
    def test_what_a_library_deprecates_is_not_the_programs(self):
        real = profile.ProfileList.take_action

        def warn(*args):
            warnings.warn('other', DeprecationWarning, stacklevel=1)
            return real(*args)

        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_hyperv_enlight.cmd.profile.ProfileList.take_action', warn
            )
        )
        with warnings.catch_warnings():
            warnings.simplefilter('always')
            result = self.call('profile', 'list')

        self.assertEqual((0, ''), (result.code, result.err))


class ImportsTestCase(testtools.TestCase):
    """The program runs where neither Nova nor libvirt is.

    Not a unit test case: those may start no process, and here it matters
    what a fresh one imports.
    """

    SCRIPT = """
import importlib.metadata, sys
for point in importlib.metadata.distribution(
    'nova-hyperv-enlight'
).entry_points:
    if point.group in ('console_scripts', 'nova_hyperv_enlight.commands'):
        point.load()
loaded = {name.partition('.')[0] for name in sys.modules}
print(*sorted(loaded & {'nova', 'libvirt', 'os_vif', 'eventlet'}))
print(*sorted(loaded & {'nova_hyperv_enlight'}))
"""

    def test_commands_import_neither_nova_nor_libvirt(self):
        done = subprocess.run(
            [sys.executable, '-c', self.SCRIPT], capture_output=True, text=True
        )

        self.assertEqual(
            ('\nnova_hyperv_enlight\n', ''), (done.stdout, done.stderr)
        )
