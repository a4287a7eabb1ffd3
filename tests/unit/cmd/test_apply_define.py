# SPDX-License-Identifier: Apache-2.0

import signal

import ddt
import fixtures

from nova_hyperv_enlight.domxml import hyperv
from tests.unit.cmd import test_apply
from tests.unit.domains import guests
from tests.unit.domains import persistent
from tests.unit.domxml import domains

WINDOWS = ('one', 'two', 'three')


def make(name, **changes):
    """Return a guest without any enlightenment."""
    states = {
        key: changes.pop(key)
        for key in ('active', 'persistent', 'saved')
        if key in changes
    }
    changes = {'features': '', 'timers': '', **changes}
    return persistent.Domain(persistent.document(name, **changes), **states)


def names(guest):
    return hyperv.read(domains.parse(guest.xml)).features


@ddt.ddt
class DefineTestCase(test_apply.ApplyTestCase):
    def define(self, *argv):
        return self.apply('one', '--on', 'relaxed', '--define', *argv)

    @ddt.data(
        ({}, 'it is shut off: this takes effect at its next start.'),
        ({'active': 1}, 'it is running and stays as it is: this takes effect'),
        ({'saved': 1}, 'it is resumed from its saved state first'),
    )
    @ddt.unpack
    def test_define(self, states, text):
        guest = make('one', **states)
        connection = self.use(guest)
        before = guest.xml

        result = self.define()

        self.assertEqual((0, ''), (result.code, result.err))
        self.assertEqual({'relaxed'}, names(guest))
        self.assertIn(persistent.SECRET, guest.xml)
        (kept,) = self.kept.iterdir()
        self.assertEqual(before, kept.read_text())
        self.assertIn(f'one: defined; {text}', result.out)
        self.assertIn(f'Its former XML is in {kept}.\n', result.out)
        self.assertNotIn('secret', result.out)
        self.assertEqual(1, len(connection.defined))
        self.assertTrue(connection.closed)

    def test_again(self):
        guest = make('one')
        connection = self.use(guest)
        self.define()

        result = self.define()

        self.assertEqual((0, ''), (result.code, result.out))
        self.assertIn('there is nothing to change', result.err)
        self.assertEqual(1, len(connection.defined))

    def test_transient(self):
        connection = self.use(make('one', persistent=0, active=1))

        self.assertRefused(self.define(), "The domain 'one' is transient")
        self.assertEqual([], connection.defined)

    def test_a_saved_host_and_a_connection_to_write_to(self):
        self.use(make('one'))

        self.define('--domcaps', self.write_document())

        self.assertEqual([], self.libvirt.read_only)

    def test_libvirt_refuses(self):
        connection = self.use(make('one'))
        connection.keeps = self.refuse

        result = self.define()

        self.assertEqual(2, result.code)
        self.assertIn('libvirt refuses it: no such feature', result.err)
        self.assertNotIn('defined;', result.out)

    def refuse(self, xml):
        raise RuntimeError('no such feature')

    def test_libvirt_forgets_it(self):
        guest = make('one')
        connection = self.use(guest)
        before = guest.xml
        connection.keeps = lambda xml: xml.replace('<relaxed state="on"/>', '')

        result = self.define()

        self.assertEqual(2, result.code)
        self.assertIn('relaxed is not there; it has again', result.err)
        self.assertEqual(before, guest.xml)

    def test_the_disk_is_full(self):
        guest = make('one')
        connection = self.use(guest)
        self.kept.touch()

        result = self.define()

        self.assertEqual(2, result.code)
        self.assertIn('so it is not changed', result.err)
        self.assertEqual([], connection.defined)


@ddt.ddt
class AllTestCase(test_apply.ApplyTestCase):
    def setUp(self):
        super().setUp()
        self.guests = {name: make(name) for name in WINDOWS}
        self.linux = make(
            'linux',
            metadata=guests.of_osinfo('http://fedoraproject.org/fedora/40'),
        )
        self.unknown = make('unknown', metadata='')
        self.connection = self.use(
            *self.guests.values(), self.linux, self.unknown
        )

    def all(self, *argv):
        return self.apply('--all', '--on', 'relaxed', *argv)

    def defined(self):
        return {name for name, each in self.guests.items() if names(each)}

    def test_print(self):
        result = self.all()

        self.assertEqual(0, result.code)
        for name in WINDOWS:
            self.assertIn(f'+++ {name}\n', result.out)
        self.assertNotIn('linux', result.out)
        self.assertEqual(
            'Nothing says that these are Windows guests, and they are left '
            'alone: linux, unknown.\n',
            result.err,
        )
        self.assertEqual(set(), self.defined())

    def test_the_host_is_asked_once(self):
        self.all()

        self.assertEqual(1, len(self.connection.asked))

    def test_define(self):
        result = self.all('--define', '--yes')

        self.assertEqual(0, result.code, result.err)
        self.assertEqual(set(WINDOWS), self.defined())
        self.assertEqual(3, result.out.count(': defined; '))
        self.assertEqual(3, len(list(self.kept.iterdir())))
        self.assertEqual(frozenset(), names(self.linux))

    @ddt.data('y\n', 'Yes\n')
    def test_the_answer_is_yes(self, answer):
        self.type(answer, terminal=True)

        result = self.all('--define')

        self.assertEqual(0, result.code)
        self.assertIn('Define 3 of these anew? [y/N] ', result.err)
        self.assertEqual(set(WINDOWS), self.defined())

    @ddt.data('', '\n', 'n\n', 'yellow\n')
    def test_the_answer_is_no(self, answer):
        self.type(answer, terminal=True)

        result = self.all('--define')

        self.assertEqual(2, result.code)
        self.assertIn('The answer was no: nothing is changed.', result.err)
        self.assertEqual(set(), self.defined())

    def test_standard_input_is_closed(self):
        self.useFixture(fixtures.MonkeyPatch('sys.stdin', None))

        self.assertRefused(self.all('--define'), 'there is no terminal')
        self.assertRefused(self.apply('-'), 'standard input cannot be read')

    def test_nothing_to_ask(self):
        self.type('', terminal=True)

        result = self.apply('--all', '--define', '--off', 'relaxed')

        self.assertEqual((0, ''), (result.code, result.out))
        self.assertNotIn('[y/N]', result.err)

    def test_interrupted_at_the_question(self):
        self.type('', terminal=True)

        def interrupt(stdin):
            raise KeyboardInterrupt

        self.useFixture(
            fixtures.MonkeyPatch(
                'tests.unit.cmd.test_apply.Input.readline', interrupt
            )
        )

        self.assertEqual(130, self.all('--define').code)
        self.assertEqual(set(), self.defined())

    @ddt.data(
        (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)
    )
    @ddt.unpack
    def test_interrupted_while_one_is_defined(self, number, code):
        handler = signal.getsignal(number)

        def keep(xml):
            signal.raise_signal(number)
            signal.raise_signal(number)
            return xml

        self.connection.keeps = keep

        result = self.all('--define', '--yes')

        self.assertEqual(code, result.code)
        self.assertIn('1 of 3 domains were redefined', result.err)
        self.assertEqual({'one'}, self.defined())
        self.assertEqual(1, result.out.count(': defined; '))
        self.assertIs(handler, signal.getsignal(number))

    def test_one_fails_and_the_others_go_on(self):
        def keep(xml):
            if '<name>two<' in xml:
                raise RuntimeError('no such feature')
            return xml

        self.connection.keeps = keep

        result = self.all('--define', '--yes')

        self.assertEqual(2, result.code)
        self.assertEqual({'one', 'three'}, self.defined())
        self.assertIn('The domain two was not redefined', result.err)

    @ddt.data(
        ('XMLDesc', "The domain 'two' cannot be read: no domain"),
        ('isPersistent', "The domain 'two' cannot be read: no domain"),
    )
    @ddt.unpack
    def test_one_vanishes(self, call, text):
        self.guests['two'].failing[call] = guests.Failed('no domain', 42)

        result = self.all('--define', '--yes')

        self.assertEqual(2, result.code)
        self.assertIn(text, result.err)
        self.assertEqual(2, result.out.count(': defined; '))

    def test_novas_guests_are_left_alone(self):
        self.guests['two'].xml = make('two', metadata=test_apply.NOVA).xml

        result = self.all('--define', '--yes')

        self.assertEqual(2, result.code)
        self.assertIn("Nova manages the domain 'two'", result.err)
        self.assertEqual({'one', 'three'}, self.defined())

    def test_they_cannot_be_listed(self):
        self.connection.listAllDomains = lambda flags=0: self.broken()

        self.assertRefused(self.all(), 'The domains cannot be listed: no')

    def broken(self):
        raise RuntimeError('no')

    def test_many_are_left_alone(self):
        self.use(*(make(f'x{n}', metadata='') for n in range(12)))

        self.assertIn('x7 and 2 more.', self.all().err)
