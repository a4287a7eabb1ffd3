# SPDX-License-Identifier: Apache-2.0

"""Every command and snippet of the documentation is run."""

import shlex

import ddt
from docutils import utils
from lxml import etree
from nova import exception as nova_exception
import testtools

from nova_hyperv_enlight.cmd import main
from nova_hyperv_enlight import exception
from tests.functional.docs import blocks
from tests.functional.docs import calls
from tests.functional.docs import session
from tests.functional.docs import snippets
from tests.functional.docs import stage

#: The guests that libvirt has on a page.
GUESTS = {
    'doc/source/admin/apply.rst': ('win11',),
    'doc/source/admin/audit.rst': ('instance-00000007', 'web', 'web1', 'web2'),
    'doc/source/admin/fleet.rst': ('instance-0000002a',),
}
#: Where the exit status is not 0.
STATUS = {
    ('doc/source/admin/audit.rst', 'nova-hyperv-enlight domain audit'): 3,
    (
        'doc/source/admin/audit.rst',
        'nova-hyperv-enlight domain audit --windows web1 web2',
    ): 3,
    (
        'doc/source/admin/audit.rst',
        'for host in compute1 compute2; do\n'
        '  ssh root@$host nova-hyperv-enlight domain audit -f json \\\n'
        '    >audits/$host.json\n'
        'done',
    ): 3,
    (
        'doc/source/admin/audit.rst',
        'nova-hyperv-enlight fleet audit audits/*.json',
    ): 3,
    (
        'doc/source/admin/verify.rst',
        'nova-hyperv-enlight guest verify --profile performance',
    ): 3,
}
#: What cannot be run: the page and the first line, and the reason.
NOT_RUN = {}


def first_line(block):
    return block.page, block.text.partition('\n')[0]


@ddt.ddt
class PagesTestCase(testtools.TestCase):
    @ddt.data(*blocks.PAGES)
    def test_blocks(self, page):
        scene = self.useFixture(stage.Stage(GUESTS.get(page, ())))

        for block in blocks.of(page):
            if first_line(block) in NOT_RUN:
                continue
            try:
                if block.language == 'console':
                    self.check_session(scene, block)
                else:
                    snippets.check(scene, block)
            except Exception as err:
                raise AssertionError(f'{block}: {err}') from err

    def check_session(self, scene, block):
        for command in session.read(block.text):
            done = scene.run(command.script)
            self.assertEqual(
                STATUS.get((block.page, command.script), 0),
                done.code,
                f'{command.script}\n{done.out}{done.err}',
            )
            for name, *arguments in done.calls:
                calls.CHECKS[name](*arguments)
            if command.answer:
                # Pages need not show what else is on standard error.
                self.assertIn(
                    '\n'.join(command.answer),
                    (done.out.rstrip(), (done.out + done.err).rstrip()),
                )

    @ddt.data(*blocks.PAGES)
    def test_no_cell_is_a_bullet(self, page):
        self.assertEqual([], blocks.empty_items(page))

    @ddt.data(*blocks.PAGES)
    def test_literals(self, page):
        app = main.EnlightApp()
        for text in blocks.literals(page):
            words = text.removeprefix(f'{main.NAME} ').split()
            name = next(
                (
                    name
                    for name, _ in app.command_manager
                    if words[: name.count(' ') + 1] == name.split()
                ),
                None,
            )
            if name is not None:
                self.check_options(app, name, words)
            elif text.startswith(('make ', 'tox -e ')):
                program, *arguments = shlex.split(text)
                calls.CHECKS[program](*arguments)

    def check_options(self, app, name, words):
        command, _, _ = app.command_manager.find_command(name.split())
        known = command(app, None, name).get_parser(name)
        for word in words:
            if word.startswith('--') and word != '--':
                self.assertIn(
                    word.partition('=')[0], known._option_string_actions, name
                )

    def test_there_is_an_excuse_only_for_what_is_there(self):
        there = {
            first_line(block)
            for page in blocks.PAGES
            for block in blocks.of(page)
        }

        self.assertEqual(set(), set(NOT_RUN) - there)


class ReadmeTestCase(testtools.TestCase):
    def test_links(self):
        """Each leads to a file, wherever a checkout is read."""
        targets = blocks.targets('README.rst')
        self.assertNotEqual([], targets)

        for target in targets:
            self.assertTrue((blocks.TOP / target).is_file(), target)

    def test_the_first_screen(self):
        start = (blocks.TOP / 'README.rst').read_text().splitlines()[:40]

        self.assertTrue(any('$ make demo ' in line for line in start))
        self.assertTrue(any('$ make check ' in line for line in start))


class PicturesTestCase(testtools.TestCase):
    def test_pictures(self):
        pages = [(blocks.TOP / page).read_text() for page in blocks.PAGES]
        pictures = sorted((blocks.TOP / 'doc/source/images').iterdir())
        self.assertNotEqual([], pictures)

        for path in pictures:
            root = etree.parse(path).getroot()
            # Who cannot see a picture is told what it shows.
            for name in ('title', 'desc'):
                self.assertTrue(root.findtext(f'{{*}}{name}'), path)
            shown = f'.. figure:: /images/{path.name}\n'
            self.assertTrue(any(shown in page for page in pages), path)

    def test_the_chart_has_the_figures_of_the_table(self):
        page = (blocks.TOP / 'doc/source/admin/exits.rst').read_text()
        summary, _, _ = page.partition('All ways')
        table = {
            row[:22].strip(): row[22:].split() for row in summary.splitlines()
        }
        chart = etree.parse(blocks.TOP / 'doc/source/images/exits.svg')
        labels, numbers = [], []
        for text in chart.iterfind('{*}text'):
            if text.get('class') == 'label':
                labels.append(text.text)
            elif text.text[0].isdigit():
                numbers.append(text.text)
        self.assertNotEqual([], labels)

        self.assertEqual(
            [
                number
                for label in labels
                for number in (table[label][0], *table[label][2:])
            ],
            numbers,
        )
        bars = [
            float(bar.get('width'))
            for bar in chart.iterfind('{*}rect')
            if bar.get('height') == '15'
        ]
        self.assertEqual([float(number) * 100 for number in numbers], bars)


@ddt.ddt
class HarnessTestCase(testtools.TestCase):
    """What would hide a command from these tests makes them fail."""

    def read(self, text):
        return blocks.read('page.rst', text)

    def test_an_unknown_directive(self):
        self.assertRaises(
            utils.SystemMessage,
            self.read,
            '.. note-box::\n\n   .. code-block:: console\n\n      $ x\n',
        )

    def test_within_another_directive(self):
        (block,) = self.read(
            '.. only:: html\n\n   .. code-block:: console\n\n      $ x\n'
        )

        self.assertEqual(('console', '$ x'), (block.language, block.text))

    def test_an_unknown_kind(self):
        for text in ('::\n\n   $ x\n', '>>> x\n', '.. code-block:: c\n\n   x'):
            (block,) = self.read(text)
            self.assertRaises(KeyError, snippets.check, None, block)

    def test_no_prompt(self):
        self.assertRaises(ValueError, session.read, 'x\n$ y')

    def test_an_unknown_program(self):
        scene = self.useFixture(stage.Stage())

        self.assertEqual(127, scene.run('surely-not-there').code)

    def test_a_session(self):
        first, second = session.read(
            '$ for x in y; do\n>   one \\\n>     two\n> done\nanswer\n$ three'
        )

        self.assertEqual(
            ('for x in y; do\n  one \\\n    two\ndone', ['answer']),
            (first.script, first.answer),
        )
        self.assertEqual('three', second.script)

    @ddt.data(
        (AssertionError, 'flavor set --property typo=on F'),
        (
            AssertionError,
            'flavor set --property trait:CUSTOM_HYPERV_X=required F',
        ),
        (AssertionError, 'image set --property os_tpye=windows I'),
        (AssertionError, 'image add --property os_type=windows I'),
        (AssertionError, 'volume set --property os_type=windows V'),
        (
            exception.InvalidRequest,
            'image set --property hyperv_enlight_x=on I',
        ),
        (
            nova_exception.ValidationError,
            'flavor set --property hyperv_enlight:x=on F',
        ),
    )
    @ddt.unpack
    def test_a_wrong_call_of_openstack(self, error, arguments):
        self.assertRaises(error, calls.CHECKS['openstack'], *arguments.split())

    @ddt.data(
        ('make', 'typo'),
        ('man', '-l', 'doc/build/man/typo.1'),
        ('pip', 'install', 'nova-hyperv-enlight[typo]'),
        ('pip', 'install', 'typo'),
        ('systemctl', 'restart', 'typo'),
        ('tox', '-e', 'typo'),
    )
    def test_a_wrong_call(self, call):
        name, *arguments = call
        self.assertRaises(AssertionError, calls.CHECKS[name], *arguments)
