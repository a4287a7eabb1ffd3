# SPDX-License-Identifier: Apache-2.0

import contextlib
import dataclasses
import io
import itertools
import pathlib

import ddt
import fixtures

from nova_hyperv_enlight.notation import convert
from nova_hyperv_enlight.notation import statement
from tests.corpus import __main__ as corpus
from tests.corpus import documents
from tests.corpus import program
from tests.unit import base

DATA = pathlib.Path(__file__).parents[2] / 'data'
#: As much of libvirt's as the composed documents need.
SCHEMA = """
<element name="domain" xmlns="http://relaxng.org/ns/structure/1.0">
  <attribute name="type"/>
  <zeroOrMore><element>
    <anyName><except><name>features</name></except></anyName>
    <ref name="any"/>
  </element></zeroOrMore>
</element>
"""
DOMAIN = (
    '<domain type="kvm"><name>a</name><memory>1</memory><os><type '
    'arch="x86_64" machine="q35">hvm</type></os><features>{}</features>'
    '<clock offset="localtime"/></domain>'
)
HYPERV = '<hyperv><relaxed state="on"/></hyperv>'


@ddt.ddt
class CorpusTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = self.make_dir()

    def add(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_corpus(self, *arguments):
        """Return the exit code and the report's lines."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = corpus.main([str(self.directory), *arguments])
        return code, out.getvalue().splitlines()

    def assertFound(self, kind, *parts, arguments=()):
        """Check that something is found, and only of this kind."""
        code, lines = self.run_corpus(*arguments)
        counts = dict(
            line.split(' (')[0].split(': ')
            for line in lines
            if line.endswith(')') and not line.startswith(' ')
        )
        found = {each for each, count in counts.items() if count != '0'}
        self.assertEqual((corpus.FOUND, {kind}), (code, found), lines)
        for part in parts:
            self.assertIn(part, '\n'.join(lines))

    def break_notation(self, name, **functions):
        """Let a notation be written or read wrongly."""
        broken = dataclasses.replace(convert.NOTATIONS[name], **functions)
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_hyperv_enlight.notation.convert.NOTATIONS',
                {**convert.NOTATIONS, name: broken},
            )
        )

    def break_program(self, change):
        """Let the program's output be changed."""
        run = program.run

        def broken(*argv):
            done = run(*argv)
            return dataclasses.replace(done, out=change(done.out))

        self.useFixture(
            fixtures.MonkeyPatch('tests.corpus.program.run', broken)
        )

    def test_no_document(self):
        self.add('README', 'nothing')
        self.add('a.xml', '<network/>')

        code, lines = self.run_corpus()

        self.assertEqual(corpus.NOTHING, code)
        self.assertIn('There is no document.', lines)

    def test_nothing_is_found(self):
        self.add('a/domain.xml', DOMAIN.format(HYPERV))
        self.add('b.args', 'qemu-system-x86_64 \\\n-cpu host,hv-relaxed \\\n')
        self.add('c.conf', 'cpu: host,flags=+hv-tlbflush\nostype: l26\n')
        self.add(
            'd.yaml',
            'kind: Secret\n---\nkind: VirtualMachineInstance\nspec:\n'
            '  domain:\n    features:\n      hyperv:\n        relaxed: {}\n',
        )
        for each in (DATA / 'domaincaps').glob('*.xml'):
            self.add(each.name, each.read_text())
        caps = len(list((DATA / 'domaincaps').glob('*.xml')))

        code, lines = self.run_corpus()

        self.assertEqual(corpus.FINE, code, lines)
        self.assertIn(
            f'1 libvirt, {caps} domainCapabilities, 1 kubevirt, 1 proxmox, '
            '1 qemu',
            lines,
        )

    def test_a_document_that_is_refused(self):
        self.add('a.args', 'qemu -cpu host,hv-novelty\n')

        self.assertFound(
            *('refused', 'convert --from qemu', "'hv-novelty'", 'a.args')
        )

    def test_what_is_lost(self):
        self.add('a.args', 'qemu -cpu host,hv-avic\n')

        self.assertFound(
            'loss', 'convert --from qemu --to kubevirt: avic: KubeVirt has no'
        )

    def test_only_a_kind(self):
        self.add('a.args', 'qemu -cpu host,hv-avic\n')
        self.add('b.args', 'qemu -cpu host,hv-novelty\n')

        self.assertFound('loss', arguments=('--kind', 'loss'))
        self.assertEqual(corpus.FINE, self.run_corpus('--kind', 'crash')[0])

    def test_the_same_is_put_together(self):
        for name in 'abcd':
            self.add(f'{name}.args', 'qemu -cpu host,hv-novelty\n')

        _, lines = self.run_corpus('--examples', '2')

        self.assertIn('refused: 4 ', '\n'.join(lines))
        self.assertEqual(
            ['a.args', 'b.args'], [line.strip() for line in lines[-2:]]
        )
        self.assertTrue(lines[-3].startswith('    4 x convert --from qemu: '))

    def test_what_is_dropped_without_a_word(self):
        self.add('a.args', 'qemu -cpu host,hv-ipi\n')
        self.break_notation(
            'names', write=lambda selection: statement.Writing(text='')
        )

        self.assertFound('dropped', '--to names: ipi')

    def test_what_is_more(self):
        self.add('a.args', 'qemu -cpu host,hv-ipi\n')
        self.break_notation(
            'names',
            write=lambda selection: statement.Writing(text='ipi synic'),
        )

        self.assertFound('changed', '--to names: more: synic')

    def test_what_is_not_the_same_twice(self):
        self.add('a.args', 'qemu -cpu host,hv-ipi\n')
        numbers = itertools.count(1)
        self.break_notation(
            'names',
            write=lambda selection: statement.Writing(
                text=' '.join(['ipi'] * next(numbers))
            ),
        )

        self.assertFound('unstable', 'twice is not the same')

    @ddt.data('read', 'write')
    def test_a_notation_that_crashes(self, name):
        self.add('a.conf', 'cpu: host\n')

        def crash(argument):
            raise ZeroDivisionError('deliberate')

        self.break_notation('proxmox', **{name: crash})

        self.assertFound('crash', "ZeroDivisionError('deliberate')")

    def test_parts_that_the_schema_does_not_accept(self):
        self.add('a.args', 'qemu -cpu host,hv-ipi\n')
        self.add('domain.rng', self.schema())

        # That of the test allows no features at all.
        self.assertFound(
            'invalid',
            '--to libvirt: <features> does not fit',
            arguments=('--schema', str(self.directory / 'domain.rng')),
        )

    @staticmethod
    def schema():
        any_element = (
            '<grammar xmlns="http://relaxng.org/ns/structure/1.0"><start>'
            '{}</start><define name="any"><zeroOrMore><choice><attribute>'
            '<anyName/></attribute><text/><element><anyName/><ref '
            'name="any"/></element></choice></zeroOrMore></define></grammar>'
        )
        return any_element.format(SCHEMA)

    def test_a_domain_that_the_schema_accepted_before(self):
        self.add('domain.rng', self.schema())
        self.add(
            'a.xml', DOMAIN.format('').replace('<features></features>', '')
        )

        self.assertFound(
            'invalid',
            'domain apply: <features> does not fit',
            arguments=('--schema', str(self.directory / 'domain.rng')),
        )

    @ddt.data(
        (lambda text: text.replace('localtime', 'utc'), 'changed', 'more'),
        (lambda text: text + ' ', 'unstable', 'its own output is changed'),
    )
    @ddt.unpack
    def test_an_output_of_apply(self, change, kind, reason):
        self.add('a.xml', DOMAIN.format(''))
        spaces = itertools.count()
        self.break_program(
            lambda text: (
                change(text) + ' ' * next(spaces)
                if kind == 'unstable'
                else change(text)
            )
        )

        self.assertFound(kind, f'domain apply: {reason}')

    def test_a_domain_of_another_type_is_refused(self):
        self.add('a.xml', DOMAIN.format('').replace('"kvm"', '"xen"'))

        self.assertFound('refused', "of type 'xen'")

    def test_a_domain_of_another_type_that_is_changed(self):
        text = DOMAIN.format('').replace('"kvm"', '"xen"')
        self.add('a.xml', text)
        run = program.run

        def change(*argv):
            if argv[0] != 'domain':
                return run(*argv)
            out = text.replace('<name>', '<name >')
            return program.Result(code=0, out=out, err='')

        self.useFixture(
            fixtures.MonkeyPatch('tests.corpus.program.run', change)
        )

        self.assertFound('changed', 'a domain of type xen')

    def test_a_command_that_crashes(self):
        self.add('a.xml', DOMAIN.format(''))
        (caps, *_) = (DATA / 'domaincaps').glob('*.xml')
        self.add('b.xml', caps.read_text())

        def crash(*argv):
            return program.Result(code=1, out='', err='deliberate\n')

        self.useFixture(
            fixtures.MonkeyPatch('tests.corpus.program.run', crash)
        )

        self.assertFound(
            'crash',
            'domain apply: exit code 1: deliberate',
            'host show: exit code 1: deliberate',
            'explain: exit code 1: deliberate',
        )

    def test_an_audit_that_crashes(self):
        self.add('a.xml', DOMAIN.format(''))

        def crash(self, guest):
            raise ZeroDivisionError('deliberate')

        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_hyperv_enlight.domains.audit.Auditor.audit', crash
            )
        )

        self.assertFound('crash', 'domain audit: ZeroDivisionError')

    def test_arguments_of_apply(self):
        self.add('a.xml', DOMAIN.format(''))

        self.assertFound(
            'refused',
            'domain apply --profile novelty',
            arguments=('--apply=--profile', '--apply=novelty'),
        )

    def test_what_is_passed_over(self):
        self.add('long.args', 'qemu -cpu host,hv-ipi ' + 'x' * (1 << 20))
        (self.directory / 'other.args').write_bytes(b'-cpu \xff')

        self.assertEqual([], list(documents.find(self.directory)))
