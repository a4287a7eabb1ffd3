# SPDX-License-Identifier: Apache-2.0

import pathlib

import ddt

from nova_hyperv_enlight.domains import apply
from nova_hyperv_enlight.domains import change
from nova_hyperv_enlight.domains import define
from nova_hyperv_enlight.editor import source
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import settings
from tests.unit import base
from tests.unit.domains import persistent
from tests.unit.policy import cases

#: What is read and what is asked, and nothing else: nothing of a running
#: guest.
HARMLESS = {'XMLDesc', 'isActive', 'isPersistent', 'hasManagedSaveImage'}


def planner(**kwargs):
    kwargs.setdefault('off', frozenset(['relaxed']))
    force = kwargs.pop('force', False)
    wanted = change.ChangeRequest(
        conf=settings.Settings(), replaces=False, **kwargs
    )
    return apply.Planner(
        wanted, lambda *args: cases.make_host(cases.BASELINE), force
    )


class DefineTestCase(base.TestCase):
    """Base of these tests."""

    def setUp(self):
        super().setUp()
        self.directory = self.make_dir() / 'kept'
        self.guest = persistent.Domain(persistent.document(), active=1)
        self.libvirt = persistent.Libvirt(self.guest)
        self.former = self.guest.xml
        self.plan = planner().plan(apply.read(self.guest))

    def define(self):
        return define.define(
            self.libvirt, self.guest, self.plan, self.directory
        )

    def refuse(self, error=exception.NotDefined):
        return str(self.assertRaises(error, self.define))

    def kept(self):
        (path,) = self.directory.iterdir()
        return path.read_text()


@ddt.ddt
class DomainTestCase(DefineTestCase):
    def test_define(self):
        path = self.define()

        (xml,) = self.libvirt.defined
        self.assertEqual(self.former.replace('<relaxed state="on"/>', ''), xml)
        self.assertIn(persistent.SECRET, xml)
        self.assertEqual(self.former, path.read_text())
        self.assertEqual(HARMLESS, {*self.guest.calls, *HARMLESS})

    def test_it_changed_meanwhile(self):
        self.guest.xml = self.former.replace('65536', '131072')

        self.assertIn('it was changed meanwhile', self.refuse())
        self.assertEqual([], self.libvirt.defined)
        self.assertFalse(self.directory.exists())

    def test_it_vanished(self):
        self.guest.failing['XMLDesc'] = RuntimeError('no domain')

        self.assertIn('it cannot be read: no domain', self.refuse())
        self.assertEqual([], self.libvirt.defined)

    def test_it_cannot_be_kept(self):
        self.directory.touch()

        error = self.refuse(exception.CannotBackUp)

        self.assertIn('so it is not changed', error)
        self.assertEqual([], self.libvirt.defined)
        self.assertEqual(self.former, self.guest.xml)

    def test_libvirt_refuses(self):
        def refuse(xml):
            raise RuntimeError('unsupported configuration')

        self.libvirt.keeps = refuse

        error = self.refuse()

        self.assertIn(
            "The domain win was not redefined: libvirt refuses it: "
            'unsupported configuration; its former XML is in ',
            error,
        )
        self.assertEqual(self.former, self.kept())
        self.assertEqual(self.former, self.guest.xml)

    @ddt.data(
        ('<vapic state="on"/>', '', 'vapic is not there'),
        ('secret', 'other', 'graphics[1]/@passwd changed'),
        ('65536', '65537', 'domain/memory[1] changed'),
    )
    @ddt.unpack
    def test_libvirt_keeps_something_else(self, old, new, text):
        def keep(xml):
            return xml if xml == self.former else xml.replace(old, new)

        self.libvirt.keeps = keep

        error = self.refuse()

        self.assertIn('libvirt kept something else: ', error)
        self.assertIn(text, error)
        self.assertIn('it has again what it had', error)
        self.assertEqual(self.former, self.guest.xml)
        self.assertEqual(2, len(self.libvirt.defined))
        self.assertNotIn('secret', error)

    def test_what_it_had_cannot_be_given_back(self):
        def keep(xml):
            if xml == self.former:
                raise RuntimeError('gone')
            return xml.replace('<vapic state="on"/>', '')

        self.libvirt.keeps = keep

        error = self.refuse()

        self.assertIn('what it had cannot be given back: gone', error)
        self.assertIn('its former XML is in ', error)
        self.assertEqual(self.former, self.kept())

    def test_what_it_had_comes_back_differently(self):
        self.libvirt.keeps = lambda xml: xml.replace('65536', '1')

        self.assertIn('and reads differently now', self.refuse())

    def test_what_libvirt_made_of_it_cannot_be_read(self):
        def keep(xml):
            self.guest.failing['XMLDesc'] = RuntimeError('end of file')
            return xml

        self.libvirt.keeps = keep

        self.assertIn(
            'what libvirt made of it cannot be read: end of file',
            self.refuse(),
        )
        self.assertEqual(self.former, self.kept())


class FileTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = self.make_dir()
        self.path = self.directory / 'guest.xml'
        self.former = persistent.document().encode('utf-16')
        self.path.write_bytes(self.former)
        self.plan = planner().plan(source.parse(self.former, str(self.path)))

    def write(self):
        return define.write_file(self.path, self.plan, self.directory / 'kept')

    def test_write(self):
        path = self.write()

        self.assertEqual(
            persistent.document()
            .replace('<relaxed state="on"/>', '')
            .encode('utf-16'),
            self.path.read_bytes(),
        )
        self.assertEqual(self.former, path.read_bytes())
        self.assertTrue(path.name.startswith('guest.'))

    def test_it_cannot_be_kept(self):
        pathlib.Path(self.directory, 'kept').touch()

        self.assertRaises(exception.CannotBackUp, self.write)
        self.assertEqual(self.former, self.path.read_bytes())

    def test_it_changed_meanwhile(self):
        self.path.write_text('mine')

        self.assertRaises(exception.CannotWrite, self.write)
        self.assertEqual('mine', self.path.read_text())
