# SPDX-License-Identifier: Apache-2.0

import dataclasses
import string

import ddt
from hypothesis import strategies as st

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import record
from tests.unit import base
from tests.unit.policy import cases
from tests.unit.policy import strategies

Malformed, Unknown = exception.MalformedDocument, exception.UnknownRecord
CUSTOM = profiles.Mode.CUSTOM

#: The longest of everything: a TSC of ten digits is 9.9 GHz.
FULLEST = record.Record(
    profile='nested',
    selection=selections.Selection(
        features=cases.ALL,
        values=frozenset(
            (
                ('spinlocks.retries', '4294967295'),
                ('vendor_id.value', '1234567890ab'),
            )
        ),
        tsc_frequency=9999999999,
    ),
)

_VENDORS = st.text(
    [chr(code) for code in range(0x20, 0x7F) if chr(code) != ','],
    min_size=1,
    max_size=12,
)
_PROFILES = st.text(
    string.ascii_letters + string.digits + '._-', min_size=1, max_size=32
)


def make(names=(), values=(), profile='baseline', lost=(), **selection):
    """Return a record."""
    return record.Record(
        profile=profile,
        lost=selections.Selection(features=frozenset(lost)),
        selection=selections.Selection(
            features=frozenset(names), values=frozenset(values), **selection
        ),
    )


def _drawn(profile, bits, retries, vendor, mode, frequency):
    names = {name for n, name in enumerate(cases.NAMES) if bits >> n & 1}
    values = {
        key: value
        for key, value in (
            ('spinlocks.retries', retries and str(retries)),
            ('vendor_id.value', vendor),
        )
        if value and enlightenments.VALUES[key].name in names
    }
    return make(
        names,
        values.items(),
        profile,
        mode=mode,
        tsc_frequency=frequency if mode is CUSTOM else None,
        pit_discards='avic' in names,
    )


#: What a guest may have been started with.
_RECORDS = st.builds(
    _drawn,
    _PROFILES,
    st.integers(0, 2 ** len(cases.NAMES) - 1),
    st.none() | st.integers(4095, 4294967295),
    st.none() | _VENDORS,
    st.sampled_from((CUSTOM, *profiles.Mode)),
    st.none() | st.integers(1, 9999999999),
)


@ddt.ddt
class EncodeTestCase(base.TestCase):
    @strategies.for_any(_RECORDS)
    def test_encode_and_decode(self, recorded):
        self.assertEqual(recorded, record.decode(record.encode(recorded)))

    @strategies.for_any(_RECORDS)
    def test_encode_length(self, recorded):
        # Nova's system_metadata cuts nothing off: the database refuses it.
        self.assertLessEqual(len(record.encode(recorded)), 255)

    def test_encode_everything(self):
        self.assertEqual(
            '1;nested;tsc=9999999999;relaxed,vapic,'
            'spinlocks=4294967295,vpindex,runtime,synic,stimer+direct,reset,'
            'vendor_id=1234567890ab,frequencies,reenlightenment,'
            'tlbflush+direct+extended,ipi,evmcs,avic,emsr_bitmap,xmm_input,'
            'hypervclock',
            record.encode(FULLEST),
        )

    def test_encode_everything_of_a_long_profile(self):
        # Where this fails, the catalogue has outgrown the record: such a
        # guest would have none.
        recorded = dataclasses.replace(
            FULLEST,
            profile='p' * 32,
            selection=dataclasses.replace(
                FULLEST.selection, pit_discards=True
            ),
        )

        self.assertLessEqual(len(record.encode(recorded)), record.MAX_LENGTH)

    @ddt.unpack
    @ddt.data(
        (make(), '1;baseline;;'),
        (make(profile='none'), '1;none;;'),
        (make(['vapic', 'relaxed']), '1;baseline;;relaxed,vapic'),
        (
            make(['spinlocks'], [('spinlocks.retries', '8191')]),
            '1;baseline;;spinlocks=8191',
        ),
        (make(['stimer.direct', 'stimer']), '1;baseline;;stimer+direct'),
        (make(['stimer.direct']), '1;baseline;;stimer.direct'),
        (
            make(['reenlightenment'], tsc_frequency=5),
            '1;baseline;tsc=5;reenlightenment',
        ),
        (
            make(['hypervclock'], mode=profiles.Mode.HOST_MODEL),
            '1;baseline;mode=host-model;hypervclock',
        ),
        # What must stay off is not part of what a guest has.
        (make(['relaxed'], off=frozenset(['ipi'])), '1;baseline;;relaxed'),
    )
    def test_encode(self, recorded, text):
        self.assertEqual(text, record.encode(recorded))

    def test_encode_too_long(self):
        error = self.assertRaises(
            ValueError, record.encode, make(cases.ALL, profile='p' * 80)
        )

        self.assertIn('are too many for a record', str(error))


@ddt.ddt
class LostTestCase(base.TestCase):
    """What could not be had, in words that older releases pass over."""

    HAD = make(['relaxed', 'spinlocks'], [('spinlocks.retries', '2147483647')])
    LOST = selections.Selection(
        features=frozenset(['vapic', 'hypervclock']),
        values=frozenset([('spinlocks.retries', '4294967295')]),
    )
    TEXT = (
        '1;baseline;;relaxed,spinlocks=2147483647,-100002,'
        '-spinlocks=4294967295'
    )

    def make(self):
        return dataclasses.replace(self.HAD, lost=self.LOST)

    def test_encode(self):
        self.assertEqual(self.TEXT, record.encode(self.make()))

    def test_decode(self):
        self.assertEqual(self.make(), record.decode(self.TEXT))

    def test_wanted(self):
        wanted = self.make().wanted

        self.assertEqual(
            {'relaxed', 'vapic', 'spinlocks', 'hypervclock'}, wanted.features
        )
        self.assertEqual(self.LOST.values, wanted.values)

    def test_nothing_is_had(self):
        made = make((), lost=('relaxed',))

        self.assertEqual('1;baseline;;-1', record.encode(made))
        self.assertEqual(made, record.decode('1;baseline;;-1'))

    @ddt.data('-', '-x', '-1F', '--1', '-11111111111111111', '-spinlocks=17')
    def test_decode_edited_by_hand(self, word):
        self.assertRaises(
            Malformed, record.decode, f'1;baseline;;relaxed,{word}'
        )

    @ddt.data('-ffffffffff', '-warp=9')
    def test_decode_of_a_newer_catalogue(self, word):
        found = record.decode(f'1;baseline;;relaxed,{word}')

        self.assertEqual({'relaxed'}, found.selection.features)

    def test_encode_without_room_for_values(self):
        # All of it, with one name lost.
        names_only = dataclasses.replace(
            FULLEST,
            profile='',
            selection=dataclasses.replace(
                FULLEST.selection, features=cases.ALL - {'ipi'}
            ),
            lost=selections.Selection(features=frozenset(['ipi'])),
        )
        room = record.MAX_LENGTH - len(record.encode(names_only))
        full = dataclasses.replace(
            names_only,
            profile='p' * room,
            lost=dataclasses.replace(names_only.lost, values=self.LOST.values),
        )

        found = record.decode(record.encode(full))

        self.assertEqual(cases.ALL, found.wanted.features)
        self.assertEqual(frozenset(), found.lost.values)

    @strategies.for_any(_RECORDS, st.integers(0, 2 ** len(cases.NAMES) - 1))
    def test_encode_and_decode(self, recorded, bits):
        lost = {name for n, name in enumerate(cases.NAMES) if bits >> n & 1}
        kept = recorded.selection.features - lost
        before = dataclasses.replace(
            recorded,
            selection=dataclasses.replace(
                recorded.selection,
                features=kept,
                values=frozenset(
                    (key, value)
                    for key, value in recorded.selection.values
                    if enlightenments.VALUES[key].name in kept
                ),
            ),
            lost=selections.Selection(features=frozenset(lost)),
        )

        text = record.encode(before)
        found = record.decode(text)

        self.assertLessEqual(len(text), 255)
        self.assertEqual(before.selection.features, found.selection.features)
        self.assertEqual(before.selection.values, found.selection.values)
        self.assertEqual(before.wanted, found.wanted)


@ddt.ddt
class DecodeTestCase(base.TestCase):
    def names(self, text):
        return set(record.decode(text).selection.features)

    @ddt.data('2;baseline;;relaxed', '2', '10;{"json": true}', '99999999;')
    def test_decode_newer_version(self, text):
        error = self.assertRaises(Unknown, record.decode, text)

        version = text.partition(';')[0]
        self.assertEqual(
            f'The recorded set is of version {version}, which is not known',
            str(error),
        )

    @ddt.data(
        '',
        ';',
        'baseline',
        '1',
        '1;baseline',
        '1;baseline;',
        '-1;baseline;;relaxed',
        'v1;baseline;;relaxed',
        ' 1;baseline;;relaxed',
        '{"names": []}',
        'x' * 300,
        '\N{SNOWMAN};;;',
    )
    def test_decode_something_else(self, text):
        self.assertRaises(Malformed, record.decode, text)

    @ddt.data(
        'mode=',
        'mode=fast',
        'mode=Custom',
        'tsc=',
        'tsc=fast',
        # int() takes all of these, and libvirt none.
        'tsc=-1',
        'tsc=1_000',
        'tsc= 1',
        'tsc=\N{ARABIC-INDIC DIGIT THREE}',
        '2794748000',
        'hz=2794748000',
        'tsc=5,mode=stock',
    )
    def test_decode_extra_edited_by_hand(self, extra):
        self.assertRaises(
            Malformed, record.decode, f'1;baseline;{extra};relaxed'
        )

    @ddt.data(
        'spinlocks=17',
        'spinlocks=many',
        'spinlocks=',
        'spinlocks=8191+direct',
        'vendor_id=',
        'vendor_id=1234567890abc',
        'vendor_id=\N{SNOWMAN}',
    )
    def test_decode_value_edited_by_hand(self, group):
        self.assertRaises(Malformed, record.decode, f'1;baseline;;{group}')

    def test_decode_malformed_says_what_it_is(self):
        error = self.assertRaises(Malformed, record.decode, 'x' * 300)

        self.assertEqual(
            f"the recorded set cannot be read: '{'x' * 64}' is not a record",
            str(error),
        )

    @ddt.unpack
    @ddt.data(
        ('1;baseline;;relaxed,warp', {'relaxed'}),
        ('1;baseline;;warp=9,relaxed', {'relaxed'}),
        ('1;baseline;;relaxed,tlbflush+turbo', {'relaxed', 'tlbflush'}),
        ('1;baseline;;warp+direct,relaxed', {'relaxed'}),
        ('1;baseline;;warp=a;b=c,relaxed', {'relaxed'}),
    )
    def test_decode_names_of_a_newer_plugin(self, text, names):
        self.assertEqual(names, self.names(text))

    @ddt.data('1;baseline;;,relaxed,,', '1;baseline;;relaxed,relaxed')
    def test_decode_spare_commas_and_names(self, text):
        self.assertEqual({'relaxed'}, self.names(text))

    def test_decode_a_profile_that_is_not_there_any_more(self):
        self.assertEqual('gone', record.decode('1;gone;;relaxed').profile)

    def test_decode_cut(self):
        text = record.encode(FULLEST)
        for end in range(len(text)):
            with self.subTest(end=end):
                self.check_cut(text[:end])

    def check_cut(self, text):
        """Check that a cut record is refused, or has names of the whole."""
        try:
            cut = record.decode(text)
        except Malformed:
            return
        self.assertEqual(FULLEST.profile, cut.profile)
        self.assertEqual(9999999999, cut.selection.tsc_frequency)
        self.assertEqual(set(), cut.selection.features - cases.ALL)
        for key, value in cut.selection.values:
            entry = enlightenments.VALUES[key]
            self.assertEqual(value, entry.value.check(value))

    @strategies.for_any(st.text(max_size=300))
    def test_decode_anything(self, text):
        for candidate in (text, f'1;{text}', f'1;b;;{text}'):
            try:
                found = record.decode(candidate)
            except (Malformed, Unknown):
                continue
            self.assertEqual(set(), found.selection.features - cases.ALL)
