# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.domains import apply
from nova_hyperv_enlight.editor import source
from nova_hyperv_enlight import exception
from tests.unit import base
from tests.unit.domains import guests
from tests.unit.domains import persistent
from tests.unit.domains import test_define

DIFF = """\
--- win
+++ win
@@ -1,3 +1,3 @@
 <domain type="qemu">
-<os><type>hvm</type></os><features><hyperv><relaxed state="on"/></hyperv>\
</features>
+<os><type>hvm</type></os><features></features>
 </domain>
\\ No newline at end of file
"""


def parse(text, name='win'):
    return source.parse(text.encode(), name)


@ddt.ddt
class PlanTestCase(base.TestCase):
    def plan(self, text, **kwargs):
        return test_define.planner(**kwargs).plan(parse(text))

    def test_plan(self):
        text = guests.document()

        plan = self.plan(text)

        self.assertTrue(plan.changes)
        self.assertEqual(
            text.replace('<relaxed state="on"/>', '').encode(), plan.data
        )

    def test_nothing_to_change(self):
        plan = self.plan(guests.document(), off=frozenset(['ipi', 'avic']))
        again = self.plan(plan.data.decode(), off=frozenset(['ipi']))

        self.assertFalse(again.changes)
        self.assertEqual('', again.diff())

    def test_diff(self):
        line = DIFF.splitlines()[4].removeprefix('-')
        text = f'<domain type="qemu">\n{line}\n</domain>'

        self.assertEqual(DIFF, self.plan(text).diff())

    def test_diff_knows_xmls_line_ends_only(self):
        text = guests.document('a\u2028b\x85c')

        changed = [
            line
            for line in self.plan(text).diff().split('\n')
            if line.startswith(('-', '+'))
        ]

        self.assertEqual(4, len(changed), changed)

    def test_what_is_not_known_is_told(self):
        plan = self.plan(guests.document(features='<later state="on"/>'))

        self.assertEqual(
            ('later: not known here, and left as it is.',), plan.notes
        )

    @ddt.data(
        (
            guests.of_nova({'os_type': 'windows'}),
            "Nova manages the domain 'win'",
            'hard reboot the server',
        ),
        (guests.of_nova(), "Nova manages the domain 'win'", '--force'),
        (
            guests.of_osinfo('http://fedoraproject.org/fedora/40'),
            "'win' is no Windows guest",
            'fedora/40',
        ),
    )
    @ddt.unpack
    def test_left_alone_without_force(self, metadata, *parts):
        text = guests.document(metadata=metadata)

        error = self.assertRaises(exception.InvalidRequest, self.plan, text)

        for part in parts:
            self.assertIn(part, str(error))
        self.assertTrue(self.plan(text, force=True).changes)

    def test_what_nova_was_asked_for_stays(self):
        ours = guests.of_plugin({'hyperv_enlight_reset': 'off'})
        text = guests.document(metadata=guests.of_nova() + ours)

        plan = self.plan(text, force=True)

        self.assertTrue(plan.changes)
        self.assertIn(ours, plan.data.decode())

    def test_nobody_knows_whether_it_is_windows(self):
        self.assertTrue(self.plan(guests.document(metadata='')).changes)

    def test_no_guest(self):
        self.assertRaises(exception.MalformedDocument, self.plan, '<domain/>')


@ddt.ddt
class TypeTestCase(base.TestCase):
    """What <hyperv> means is known of KVM's and QEMU's guests only."""

    @ddt.unpack
    @ddt.data(
        ('xen', {}), ('hyperv', {}), ('xen', {'force': True}), ('lxc', {})
    )
    def test_refused(self, virt_type, kwargs):
        document = parse(guests.document(virt_type=virt_type))

        error = self.assertRaises(
            exception.InvalidRequest,
            test_define.planner(**kwargs).plan,
            document,
        )

        self.assertIn(f"'win' is of type {virt_type!r}", str(error))


@ddt.ddt
class ReadTestCase(base.TestCase):
    def test_read(self):
        guest = persistent.Domain(persistent.document())

        found = apply.read(guest)

        self.assertEqual(
            guest.xml.replace(persistent.SECRET, '').encode(), found.data
        )
        self.assertEqual('win', found.document)

    def test_transient(self):
        guest = persistent.Domain(persistent.document(), persistent=0)

        error = self.assertRaises(exception.InvalidRequest, apply.read, guest)

        self.assertIn("The domain 'win' is transient", str(error))

    @ddt.data('XMLDesc', 'isPersistent')
    def test_it_vanished(self, call):
        guest = persistent.Domain(persistent.document())
        guest.failing[call] = guests.Failed('no domain', 42)

        error = self.assertRaises(exception.InvalidRequest, apply.read, guest)

        self.assertIn("'win' cannot be read: no domain", str(error))

    @ddt.data(
        (
            {'active': 1, 'saved': 1},
            'is running and stays as it is: this takes',
        ),
        ({'saved': 1}, 'is resumed from its saved state first'),
        ({}, 'is shut off: this takes effect at its next start'),
    )
    @ddt.unpack
    def test_when(self, states, text):
        guest = persistent.Domain(persistent.document(), **states)

        self.assertIn(text, apply.when(guest))

    def test_when_it_vanished(self):
        guest = persistent.Domain(persistent.document())
        guest.failing['isActive'] = RuntimeError('gone')

        self.assertIn('cannot be asked', apply.when(guest))
