# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.editor import edit
from nova_hyperv_enlight.editor import source
from nova_hyperv_enlight import exception
from tests.unit import base
from tests.unit.domxml import domains
from tests.unit.domxml import test_apply

# As libvirt writes it, in short.
GUEST = """\
<domain type='kvm'>
  <name>win</name>
  <os>
    <type arch='x86_64'>hvm</type>
  </os>
  <features>
    <acpi/>
    <hyperv mode='custom'>
      <relaxed state='on'/>
      <spinlocks state='on' retries='8191'/>
      <novelty state='on'/>
    </hyperv>
  </features>
  <cpu mode='host-model'/>
  <clock offset='utc'>
    <timer name='rtc' tickpolicy='catchup'/>
    <timer name='tsc' frequency='7'/>
  </clock>
</domain>
"""


def write(text, *names, **changes):
    """Return a document with these enlightenments."""
    timers = changes.pop('timers', ())
    offset = changes.pop('clock_offset', None)
    change = edit.Change(
        selection=domains.selection(*names, **changes),
        clock_offset=offset,
        timers=timers,
    )
    return edit.write(source.parse(text.encode(), 'x'), change).decode()


@ddt.ddt
class WriteTestCase(base.TestCase):
    """What is written, line by line."""

    def assertLines(self, before, after, removed=(), added=()):
        """Check which lines went and which came, whatever their places."""
        old, new = before.splitlines(), after.splitlines()
        self.assertEqual(
            list(removed), [line.strip() for line in old if line not in new]
        )
        self.assertEqual(
            list(added), [line.strip() for line in new if line not in old]
        )

    def test_between(self):
        after = write(GUEST, 'relaxed', 'vapic', 'spinlocks', 'ipi')

        self.assertEqual(
            GUEST.replace(
                "      <spinlocks state='on' retries='8191'/>\n",
                "      <vapic state='on'/>\n"
                "      <spinlocks state='on' retries='8191'/>\n"
                "      <vpindex state='on'/>\n"
                "      <ipi state='on'/>\n",
            ),
            after,
        )

    def test_first(self):
        after = write(
            GUEST.replace("      <relaxed state='on'/>\n", ''),
            'relaxed',
            'spinlocks',
        )

        self.assertEqual(GUEST, after)

    def test_parts_of_one(self):
        after = write(GUEST, 'relaxed', 'spinlocks', 'tlbflush.extended')

        self.assertLines(
            GUEST,
            after,
            added=[
                "<vpindex state='on'/>",
                "<tlbflush state='on'>",
                "<extended state='on'/>",
                '</tlbflush>',
            ],
        )
        self.assertIn("\n        <extended state='on'/>\n", after)

    def test_a_value(self):
        after = write(
            GUEST, 'relaxed', 'spinlocks', values={'spinlocks.retries': '4096'}
        )

        self.assertLines(
            GUEST,
            after,
            ["<spinlocks state='on' retries='8191'/>"],
            ["<spinlocks state='on' retries='4096'/>"],
        )

    def test_nothing_of_it(self):
        after = write(GUEST)

        self.assertLines(
            GUEST,
            after,
            [
                "<relaxed state='on'/>",
                "<spinlocks state='on' retries='8191'/>",
            ],
        )
        # It says no more than what is absent.
        self.assertEqual(after, write(after))

    def test_nothing_at_all(self):
        known = GUEST.replace("      <novelty state='on'/>\n", '')

        after = write(known)

        self.assertEqual(
            [], [line for line in after.splitlines() if 'hyperv' in line]
        )
        self.assertIn("    <acpi/>\n  </features>\n", after)

    def test_a_mode(self):
        after = write(GUEST, mode=test_apply.profiles.Mode.HOST_MODEL)

        self.assertIn("<hyperv mode='host-model'>\n", after)
        self.assertNotIn('relaxed', after)
        self.assertIn('novelty', after)

    def test_from_a_mode(self):
        before = GUEST.replace('custom', 'passthrough')

        after = write(before, 'relaxed', 'spinlocks')

        self.assertEqual(GUEST.replace(" mode='custom'", ''), after)

    def test_the_timer(self):
        after = write(GUEST, 'relaxed', 'spinlocks', 'hypervclock')

        self.assertLines(
            GUEST, after, added=["<timer name='hypervclock' present='yes'/>"]
        )
        self.assertIn("present='yes'/>\n  </clock>\n", after)

    def test_the_tsc(self):
        after = write(GUEST, 'relaxed', 'spinlocks', 'reenlightenment')

        self.assertLines(
            GUEST,
            after,
            ["<timer name='tsc' frequency='7'/>"],
            [
                "<reenlightenment state='on'/>",
                "<timer name='tsc' frequency='2794748000'/>",
            ],
        )

    def test_the_pit(self):
        pit = "<timer name='pit' tickpolicy='delay'/>"
        guest = GUEST.replace('</clock>', f'  {pit}\n  </clock>')

        discarding = write(guest, 'avic', pit_discards=True)

        self.assertIn("<timer name='pit' tickpolicy='discard'/>", discarding)
        self.assertNotIn(pit, discarding)
        self.assertIn(pit, write(guest, 'avic'))
        # Nor is it taken back.
        self.assertEqual(
            write(discarding, 'avic'),
            write(discarding, 'avic', pit_discards=True),
        )

    def test_other_timers_and_the_offset(self):
        after = write(
            GUEST,
            'relaxed',
            'spinlocks',
            timers=(('hpet', False),),
            clock_offset='localtime',
        )

        self.assertLines(
            GUEST,
            after,
            ["<clock offset='utc'>"],
            [
                "<clock offset='localtime'>",
                "<timer name='hpet' present='no'/>",
            ],
        )

    @ddt.data(
        '<relaxed state="on"/><vapic state="off"/>',
        '<relaxed state="on" later="yes"/>',
        '<vapic state="off"/><relaxed state="on"><later/></relaxed>',
    )
    def test_what_says_the_same_stays(self, features):
        before = (
            f'<domain><features><hyperv>{features}</hyperv></features><clock '
            'offset="utc"><timer present="no" name="hypervclock"/></clock>'
            '</domain>'
        )

        self.assertEqual(before, write(before, 'relaxed'))

    def test_what_is_off_in_a_mode_stays_or_goes(self):
        mode = test_apply.profiles.Mode.HOST_MODEL
        before = (
            '<domain><features><hyperv mode="host-model"><vapic state="off"/>'
            '<evmcs state="off"/></hyperv></features></domain>'
        )

        after = write(before, mode=mode, off=frozenset(['evmcs']))

        self.assertEqual(before.replace('<vapic state="off"/>', ''), after)

    @ddt.data('features', 'clock')
    def test_two_holders(self, tag):
        error = self.assertRaises(
            exception.MalformedDocument,
            write,
            f'<domain><{tag}/><{tag}/></domain>',
        )

        self.assertIn(f'it has more than one <{tag}>', str(error))

    def test_it_verifies(self):
        change = edit.Change(
            selection=selections.Selection(
                features=frozenset(['relaxed']),
                values=frozenset([('spinlocks.retries', '8191')]),
            )
        )

        self.assertRaises(
            exception.VerifyError,
            edit.write,
            source.parse(GUEST.encode(), 'x'),
            change,
        )

    def test_unknown(self):
        self.assertEqual(
            ('novelty',), edit.unknown(source.parse(GUEST.encode(), 'x'))
        )
        self.assertEqual((), edit.unknown(source.parse(b'<domain/>', 'x')))


@ddt.ddt
class SameAsApplyTestCase(base.TestCase):
    """The same as the driver's way of writing, which changes the tree."""

    @ddt.unpack
    @ddt.data(*test_apply.PAIRS)
    def test_same(self, document, chosen):
        text = test_apply.DOCUMENTS[document]
        selection = test_apply.SELECTIONS[chosen]
        root = domains.parse(text)
        test_apply.hyperv.apply(root, selection)

        data = edit.write(
            source.parse(text.encode(), 'x'), edit.Change(selection=selection)
        )

        self.assertEqual(
            edit.effective(test_apply.hyperv.read(root)),
            edit.effective(test_apply.hyperv.read(domains.parse(data))),
        )
