# SPDX-License-Identifier: Apache-2.0

import json
import pathlib

import ddt
from hypothesis import strategies as st

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import documents
from nova_hyperv_enlight.host import capabilities
from tests.unit import base
from tests.unit.fleet import hosts
from tests.unit.policy import cases
from tests.unit.policy import strategies

ROW = {'name': 'stimer', 'offered': 'yes', 'witness': 'x', 'evidence': 'y'}


def described(**changes):
    """Return a document that says which host it is, changed."""
    host = cases.make_host(vendor=cases.AMD)
    return json.dumps({**documents.write('cmp1', host), **changes})


def changed(row=None, **columns):
    """Return a document of one row, changed; None takes a column away."""
    new = {**(row or ROW), **columns}
    return json.dumps([{k: v for k, v in new.items() if v is not None}])


@ddt.ddt
class ParseTestCase(base.TestCase):
    def parse(self, text, name='a'):
        if isinstance(text, str):
            text = text.encode()
        return documents.parse(text, name, 'a.json')

    def assertMalformed(self, text, reason, name='a'):
        error = self.assertRaises(
            exception.MalformedDocument, self.parse, text, name
        )
        message = str(error)
        self.assertTrue(message.startswith('a.json cannot be read: '), message)
        self.assertIn(reason, message)
        self.assertTrue(message.isprintable(), message)

    @strategies.for_any(strategies.HOSTS)
    def test_what_is_written_is_read(self, host):
        self.check(host, documents.write('compute1', host))

    @strategies.for_any(strategies.HOSTS)
    def test_what_an_older_release_wrote_is_read(self, host):
        self.check(host, hosts.rows(host, 'compute1'))

    def check(self, host, document):
        found = self.parse(json.dumps(document))

        self.assertEqual('compute1', found.name)
        self.assertEqual(host.features, found.capabilities.features)
        self.assertEqual((), found.unknown)
        if host.sources.vendor is not None:
            self.assertEqual(host.sources.vendor, found.vendor)
        for what in ('virt_type', 'arch', 'libvirt', 'qemu', 'tsc_frequency'):
            self.assertEqual(
                getattr(host.sources, what),
                getattr(found.capabilities.sources, what),
                what,
            )

    def test_without_facts(self):
        found = self.parse(hosts.text(describe=False, vendor=cases.AMD), 'b')

        self.assertEqual('b', found.name)
        sources = found.capabilities.sources
        self.assertEqual(
            ('kvm', 'x86_64', None),
            (sources.virt_type, sources.arch, sources.libvirt),
        )

    def test_what_one_vendor_has_tells_the_vendor(self):
        with_it = hosts.text(describe=False, vendor=None)
        without = hosts.text(cases.ALL - {'evmcs'}, describe=False)

        self.assertEqual(cases.INTEL, self.parse(with_it).vendor)
        self.assertIsNone(self.parse(without).vendor)

    def test_a_newer_plugins_names(self):
        rows = hosts.rows(cases.make_host())
        rows += [
            {**ROW, 'name': 'novelty', 'witness': 'an oracle'},
            {**ROW, 'name': 'stimer.novel'},
            {**ROW, 'name': 'host.novelty', 'offered': '-'},
        ]

        found = self.parse(json.dumps(rows))

        self.assertEqual(('novelty', 'stimer.novel'), found.unknown)
        self.assertEqual(list(cases.NAMES), list(found.capabilities.features))

    def test_a_newer_plugins_witness(self):
        found = self.parse(changed(source='an oracle'))

        capability = found.capabilities.features['stimer']
        self.assertTrue(capability.offered)
        self.assertEqual(capabilities.CapabilitySource.NONE, capability.source)

    def test_an_older_plugins_document(self):
        features = self.parse(changed()).capabilities.features

        self.assertEqual(
            {True: ['stimer'], None: sorted(cases.ALL - {'stimer'})},
            {
                state: sorted(
                    n for n in features if features[n].offered is state
                )
                for state in (True, None)
            },
        )

    def test_more_columns(self):
        found = self.parse(changed(**{'shown to a guest': 'yes'}))

        self.assertTrue(found.capabilities.features['stimer'].offered)

    @ddt.unpack
    @ddt.data(
        ('', 'it is empty'),
        (' \n', 'it is empty'),
        ('no', 'it is not JSON: '),
        ('[', 'it is not JSON: '),
        (b'\xff\xfe\xff', 'it is not JSON: '),
        (b'["\xff"]', 'it is not JSON: '),
        ('[' * 500000, 'it is nested too deeply'),
        ('[{"name": ' + '9' * 5000 + '}]', 'digits'),
        (' ' * 2**20 + '[]', 'it is longer than 1048576 bytes'),
        ('{}', 'it is neither a document nor a list of rows'),
        ('null', 'it is neither a document nor a list of rows'),
        ('"relaxed"', 'it is neither a document nor a list of rows'),
        (described(document='x'), 'it is neither a document nor a list'),
        (described(version=None), 'host show --describe -f json" on that'),
        (described(version=2), 'it has version 2, and this release reads 1'),
        (described(host=[]), "'host' is not an object"),
        (described(host={'a\nb': ''}), 'a name cannot be printed'),
        (described(host={'name': 1}), "'name' is not a text"),
        (described(enlightenments={}), 'it is neither a document nor a list'),
        (described(enlightenments=[]), 'it has no row of an enlightenment'),
        ('[]', 'it has no row of an enlightenment'),
        ('[1]', 'row 1 is not an object'),
        ('[[]]', 'row 1 is not an object'),
        ('[{}]', "row 1 has no 'name'"),
        (changed(name='novelty'), 'it has no row of an enlightenment'),
        (changed(name=None), "row 1 has no 'name'"),
        (changed(name=''), "row 1 has no 'name'"),
        (changed(offered=None), "row 1 has no 'offered'"),
        (changed(name=1), "'name' of row 1 is not a text"),
        (changed(name=['stimer']), "'name' of row 1 is not a text"),
        (changed(offered=True), "'offered' of row 1 is not a text"),
        (changed(evidence={}), "'evidence' of row 1 is not a text"),
        (changed(evidence='a\nb'), "'evidence' of row 1 cannot be printed"),
        (changed(name='\x1b[2J'), "'name' of row 1 cannot be printed"),
        (changed(evidence='a' * 1001), "'evidence' of row 1 is longer than"),
        (changed(offered='YES'), "'stimer' is offered 'YES': allowed are"),
        (changed(offered='-'), "'stimer' is offered '-': allowed are"),
        (json.dumps([ROW, ROW]), "'stimer' has more than one row"),
        (
            '[{"name": "stimer", "offered": "yes", "offered": "no"}]',
            'an object has the same key twice',
        ),
    )
    def test_malformed(self, text, reason):
        self.assertMalformed(text, reason)

    @ddt.unpack
    @ddt.data(
        ('host.libvirt', '9'),
        ('host.libvirt', '9.0.x'),
        ('host.qemu', '7.2.0.1'),
        ('host.qemu', '7.2.-1'),
        ('host.qemu', '7.2.' + '9' * 30),
        ('host.clocksource', 'two words'),
        ('host.clocksource', 'x' * 33),
        ('host.tsc_frequency', 'fast'),
        ('host.tsc_frequency', '٣'),
    )
    def test_malformed_facts(self, row, text):
        fact = {'name': row, 'offered': '-', 'evidence': text}

        self.assertMalformed(json.dumps([ROW, fact]), f'{row} is {text!r}')

    @ddt.data('a\nb', 'a' * 1001)
    def test_malformed_names_of_hosts(self, name):
        self.assertMalformed(changed(), "its host's name", name)

    @strategies.for_any(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=9)
            | st.sampled_from(('name', 'offered', 'yes', 'stimer')),
            lambda some: st.lists(some, max_size=4)
            | st.dictionaries(
                st.sampled_from(('name', 'offered', 'evidence', 'x')), some
            ),
            max_leaves=20,
        )
    )  # fmt: skip
    def test_any_json(self, value):
        # A host or the one error; nothing else ever.
        try:
            found = self.parse(json.dumps(value))
        except exception.MalformedDocument as err:
            self.assertTrue(str(err).isprintable())
        else:
            self.assertEqual(cases.ALL, found.capabilities.features.keys())

    @strategies.for_any(st.binary(max_size=40))
    def test_any_bytes(self, text):
        self.assertRaises(exception.MalformedDocument, self.parse, text)


class ReadTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = self.make_dir()

    def test_a_host_is_called_as_its_file(self):
        path = self.directory / 'compute1.example.org.json'
        path.write_text(hosts.text())

        found = documents.read(path)

        self.assertEqual('compute1.example.org', found.name)
        self.assertEqual(str(path), found.source)

    def test_or_as_it_says(self):
        path = self.directory / 'saved'
        path.write_text(hosts.text(name='compute1'))

        self.assertEqual('compute1', documents.read(path).name)

    def test_unreadable(self):
        for path, reason in (
            (self.directory / 'absent', 'No such file or directory'),
            (self.directory, 'Is a directory'),
            # Endless, and no JSON in it.
            (pathlib.Path('/dev/zero'), 'it is longer than 1048576 bytes'),
        ):
            error = self.assertRaises(
                exception.MalformedDocument, documents.read, path
            )
            self.assertEqual(f'{path} cannot be read: {reason}', str(error))
