# SPDX-License-Identifier: Apache-2.0

"""Where it is written, and in which manner."""

from nova_hyperv_enlight.editor import source
from tests.unit import base
from tests.unit.domxml import test_apply
from tests.unit.editor import test_edit

GUEST = test_edit.GUEST
BARE = """\
<domain type='kvm'>
\t<name>win</name>
\t<os/>
\t<cpu/>
\t<devices/>
</domain>
"""


class HoldersTestCase(base.TestCase):
    def test_new_holders(self):
        after = test_edit.write(BARE, 'relaxed', 'hypervclock')

        self.assertEqual(
            BARE.replace(
                '\t<os/>\n',
                '\t<os/>\n'
                '\t<features>\n'
                '\t\t<hyperv>\n'
                "\t\t\t<relaxed state='on'/>\n"
                '\t\t</hyperv>\n'
                '\t</features>\n',
            ).replace(
                '\t<cpu/>\n',
                '\t<cpu/>\n'
                "\t<clock offset='utc'>\n"
                "\t\t<timer name='hypervclock' present='yes'/>\n"
                '\t</clock>\n',
            ),
            after,
        )

    def test_an_offset_alone(self):
        after = test_edit.write(BARE, clock_offset='localtime')

        self.assertEqual(
            BARE.replace(
                '\t<cpu/>\n', "\t<cpu/>\n\t<clock offset='localtime'/>\n"
            ),
            after,
        )

    def test_a_clock_without_offset(self):
        after = test_edit.write('<domain><clock/></domain>', 'hypervclock')

        self.assertEqual(
            "<domain><clock offset='utc'><timer name='hypervclock' "
            "present='yes'/></clock></domain>",
            after,
        )

    def test_an_empty_holder(self):
        after = test_edit.write(
            '<domain>\n  <features>\n    <hyperv/>\n  </features>\n</domain>',
            'relaxed',
            'ipi',
        )

        self.assertIn(
            '    <hyperv>\n'
            "      <relaxed state='on'/>\n"
            "      <vpindex state='on'/>\n"
            "      <ipi state='on'/>\n"
            '    </hyperv>\n',
            after,
        )

    def test_double_quotes(self):
        after = test_edit.write(
            GUEST.replace("'", '"'), 'relaxed', 'spinlocks', 'vapic'
        )

        self.assertNotIn("'", after)
        self.assertIn('<vapic state="on"/>', after)

    def test_a_quote_in_a_value(self):
        after = test_edit.write(
            GUEST, 'vendor_id', values={'vendor_id.value': 'it\'s "<&'}
        )

        found = source.parse(after.encode(), 'x').root
        self.assertEqual(
            'it\'s "<&', found.find('features/hyperv/vendor_id').get('value')
        )

    def test_windows_line_ends(self):
        before = GUEST.replace('\n', '\r\n')

        after = test_edit.write(
            before, 'relaxed', 'spinlocks', 'stimer.direct'
        )

        self.assertEqual(after.count('\n'), after.count('\r\n'))

    def test_twice(self):
        before = test_apply.DOCUMENTS['twice']

        after = test_edit.write(before, *test_apply.cases.MINIMAL)

        self.assertEqual(1, after.count('<hyperv>'))
        self.assertEqual(1, after.count('hypervclock'))
