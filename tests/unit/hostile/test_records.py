# SPDX-License-Identifier: Apache-2.0

"""Records that were cut, or edited by hand."""

import ddt
from hypothesis import strategies as st

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit import base
from tests.unit.catalogue import facts
from tests.unit.hostile import tenants
from tests.unit.policy import cases
from tests.unit.policy import strategies

WHOLE = (
    '1;nested;tsc=2794748000;relaxed,vapic,spinlocks=8191,vpindex,runtime,'
    'synic,stimer+direct,reset,vendor_id=KVM Hv,frequencies,reenlightenment,'
    'tlbflush+direct+extended,ipi,evmcs,avic,emsr_bitmap,xmm_input,hypervclock'
)
REFUSALS = (exception.MalformedDocument, exception.UnknownRecord)


def use(text):
    """Start a guest that has this record, on every host.

    :returns: the record, None where it is passed over.
    """
    try:
        found = record.decode(text)
    except REFUSALS as err:
        assert str(err).isprintable(), str(err)
        return None
    for conf in tenants.SETTINGS:
        for host in tenants.HOSTS:
            _use(conf, host, found)
    return found


def _use(conf, host, found):
    record.obstacles(found, host)
    try:
        decided = resolve.resolve(
            conf, cases.make_request(started=True), host, found
        )
    except exception.HostCannotDeliver:
        return  # What the operator forces on, or a value that is too new.
    assert decision.one_line(decided).isprintable()
    names = decided.selection.features
    for name in names:
        assert names >= set(facts.REQUIRES.get(name, ())), (name, names)
        assert host.features[name].offered, name
    tenants._check_xml(decided.selection)


@ddt.ddt
class RecordTestCase(base.TestCase):
    def test_whole(self):
        self.assertEqual(WHOLE, record.encode(record.decode(WHOLE)))
        self.assertLessEqual(len(WHOLE), record.MAX_LENGTH)

    def test_cut_at_any_character(self):
        for length in range(len(WHOLE)):
            use(WHOLE[:length])
            use(WHOLE[length:])

    @strategies.for_any(
        st.integers(0, len(WHOLE)), st.text(max_size=6), st.integers(0, 6)
    )
    def test_edited_anywhere(self, place, text, cut):
        use(WHOLE[:place] + text + WHOLE[place + cut :])

    @strategies.for_any(st.text(max_size=255) | st.text('1;=+,tscmode'))
    def test_any_text(self, text):
        use(text)

    @ddt.data(
        '\N{ARABIC-INDIC DIGIT ONE};minimal;;relaxed',
        '1;minimal;tsc=;relaxed',
        f'1;minimal;tsc={"9" * 5000};relaxed',
        f'1;minimal;tsc={2**64};reenlightenment',
        '1;minimal;tsc=\N{SUPERSCRIPT TWO};relaxed',
        '1;minimal;2794748000;relaxed',
        '1;minimal;mode=none;relaxed',
        '1;minimal;;spinlocks=1',
        '1;minimal;;vendor_id=\N{SNOWMAN}',
        '1;min\nimal;;relaxed',
    )
    def test_no_record(self, text):
        self.assertRaises(exception.MalformedDocument, record.decode, text)

    def test_a_version_that_is_newer(self):
        self.assertRaises(exception.UnknownRecord, record.decode, '2;x')

    def test_what_stands_alone_is_left_out(self):
        found = record.decode('1;baseline;;stimer+direct,hypervclock')
        decided = resolve.resolve(
            settings.Settings(),
            cases.make_request(started=True),
            cases.HOST,
            found,
        )
        self.assertEqual({'hypervclock'}, decided.selection.features)
