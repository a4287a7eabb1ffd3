# SPDX-License-Identifier: Apache-2.0

"""``domain apply`` with a schema that the result must be valid by."""

import ddt

from nova_hyperv_enlight.domxml import schema
from tests.unit.cmd import test_apply
from tests.unit.domains import persistent

#: A domain of anything, but a <hyperv> of two names.
SCHEMA = """\
<grammar xmlns="http://relaxng.org/ns/structure/1.0">
  <start>
    <element name="domain"><ref name="any"/></element>
  </start>
  <define name="any">
    <zeroOrMore>
      <choice>
        <attribute><anyName/></attribute>
        <text/>
        <ref name="hyperv"/>
        <element>
          <anyName><except><name>hyperv</name></except></anyName>
          <ref name="any"/>
        </element>
      </choice>
    </zeroOrMore>
  </define>
  <define name="hyperv">
    <element name="hyperv">
      <optional><attribute name="mode"/></optional>
      <interleave>
        <optional><ref name="relaxed"/></optional>
        <optional><ref name="vapic"/></optional>
      </interleave>
    </element>
  </define>
  <define name="relaxed">
    <element name="relaxed"><attribute name="state"/></element>
  </define>
  <define name="vapic">
    <element name="vapic"><attribute name="state"/></element>
  </define>
</grammar>
"""
NOTHING = test_apply.PLAIN


@ddt.ddt
class SchemaTestCase(test_apply.ApplyTestCase):
    def setUp(self):
        super().setUp()
        self.rng = self.write('domain.rng', SCHEMA)

    def test_what_is_valid(self):
        path = self.write('guest.xml', NOTHING)

        result = self.apply(path, '--on', 'vapic', '--schema', self.rng)

        self.assertEqual(0, result.code, result.err)
        self.assertIn('<vapic', result.out)

    def test_what_is_not_valid_is_not_written(self):
        path = self.write('guest.xml', NOTHING)

        result = self.apply(
            path, '--on', 'runtime', '--define', '--schema', self.rng
        )

        self.assertRefused(
            result,
            f'The XML of {path} would not be valid by {self.rng}: line ',
        )
        self.assertRegex(result.err, 'line [0-9]+: <runtime> does not fit')
        with open(path) as stream:
            self.assertEqual(NOTHING, stream.read())

    def test_what_was_not_valid_before(self):
        text = persistent.document(features="<runtime state='on'/>", timers='')
        path = self.write('guest.xml', text)
        (line,) = (
            number
            for number, found in enumerate(text.splitlines(), 1)
            if '<runtime' in found
        )

        self.assertRefused(
            self.apply(path, '--on', 'vapic', '--schema', self.rng),
            f'The XML of {path} is not valid by {self.rng}: line {line}: '
            '<runtime> does not fit.',
        )

    def test_more_than_one_that_does_not_fit(self):
        path = self.write('guest.xml', NOTHING)

        result = self.apply(
            path, '--on', 'runtime', '--on', 'reset', '--schema', self.rng
        )

        # The innermost that has them all.
        self.assertRefused(result, ': <hyperv> does not fit.')

    def test_a_domain_of_libvirt(self):
        self.use(persistent.Domain(NOTHING))

        result = self.apply('plain', '--on', 'runtime', '--schema', self.rng)

        self.assertRefused(result, 'would not be valid by')

    @ddt.data(
        (None, 'No such file or directory'),
        ('not XML', 'it is no RELAX NG schema: '),
        ('<domain/>', 'it is no RELAX NG schema: '),
        (
            SCHEMA.replace('<start>', '<include href="gone.rng"/><start>'),
            'it is no RELAX NG schema: ',
        ),
    )
    @ddt.unpack
    def test_what_is_no_schema(self, text, reason):
        path = self.write('guest.xml', NOTHING)
        rng = f'{self.rng}.gone'
        if text is not None:
            rng = self.write('bad.rng', text)

        self.assertRefused(
            self.apply(path, '--schema', rng),
            f'{rng} cannot be read: {reason}',
        )

    def test_the_installed_one(self):
        path = self.write('guest.xml', NOTHING)
        installed = ('--schema', schema.INSTALLED)

        # libvirt knows the second one from 10.7 on.
        result = self.apply(path, '--on', 'stimer', *installed)
        self.assertEqual(0, result.code, result.err)
        self.assertRefused(
            self.apply(path, '--on', 'tlbflush.extended', *installed),
            '<extended> does not fit.',
        )
