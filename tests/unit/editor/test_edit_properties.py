# SPDX-License-Identifier: Apache-2.0

"""Any document, however it is written, and any set."""

import re

from hypothesis import strategies as st

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.editor import edit
from nova_hyperv_enlight.editor import source
from tests.unit import base
from tests.unit.domxml import domains
from tests.unit.editor import tokens
from tests.unit.policy import strategies

_NAMES = st.lists(st.sampled_from(tuple(domains.ENTRIES)), max_size=6)
_MODES = st.sampled_from((profiles.Mode.HOST_MODEL, profiles.Mode.PASSTHROUGH))
_VALUES = st.sampled_from(
    (
        domains.DEFAULTS,
        {'spinlocks.retries': '4095', 'vendor_id.value': "it's <&>"},
        {'spinlocks.retries': '5000', 'vendor_id.value': '"both"\''},
    )
)
_SELECTIONS = st.one_of(
    st.builds(
        lambda names, values: domains.selection(*names, values=values),
        _NAMES,
        _VALUES,
    ),
    st.builds(
        lambda mode: domains.selection('hypervclock', mode=mode), _MODES
    ),
)
#: What stands between elements.
_SPACES = st.sampled_from(('', '\n', '\n  ', '\r\n\t', ' ', '\n\n   '))
_BESIDE = st.sampled_from(
    ('', '<!-- hyperv --> ', '<?hyperv state="on"?>', '<!--\n<hyperv/>\n-->')
)
#: Elements that are nobody's business here.
_FOREIGN = st.sampled_from(
    (
        "<name>a &amp; b &#x41;</name>",
        '<description><![CDATA[<features><hyperv/></features>]]></description>',
        '<metadata><x:hyperv xmlns:x="urn:x"><x:relaxed state="on"/>'
        '</x:hyperv></metadata>',
        '<devices><hyperv><relaxed   state = "on"/></hyperv></devices >',
        "<os a='/>'\n b=\"'\"/>",
        '<title>Größe €</title>',
    )
)
_FEATURES = st.sampled_from(('<acpi/>', '<kvm><hidden state="on"/></kvm>'))
_TIMERS = st.sampled_from(
    (
        "<timer name='rtc' tickpolicy='catchup'/>",
        '<timer name="tsc" frequency="7"/>',
        '<timer name="hypervclock" present="yes"/>',
        "<timer  name='hypervclock'\n present='no' />",
        '<timer name="pit"><!-- x --></timer>',
    )
)
_ENLIGHTENMENTS = st.sampled_from(
    (
        '<relaxed state="on"/>',
        "<vapic state='off'></vapic>",
        '<spinlocks retries="8191" state="on"/>',
        '<spinlocks state="on" retries="4096" />',
        '<stimer state="on"><direct state="off"/></stimer>',
        '<stimer state="on">\n<direct state="on"/>\n</stimer>',
        '<novelty state="on"><relaxed state="on"/></novelty>',
        '<vendor_id state="on" value="1234567890ab"/>',
        '<!-- mine -->',
    )
)


@st.composite
def _joined(draw, parts, begin, end, max_size=4):
    """Put parts with white space around them between two tags."""
    texts = [begin]
    for part in draw(st.lists(parts, max_size=max_size, unique=True)):
        texts += [draw(_SPACES), part, draw(_BESIDE)]
    return ''.join([*texts, draw(_SPACES), end])


_HYPERV = st.one_of(
    st.just('<hyperv/>'),
    _joined(_ENLIGHTENMENTS, '<hyperv>', '</hyperv>'),
    _joined(_ENLIGHTENMENTS, "<hyperv mode='host-model'>", '</hyperv >'),
)
_HOLDERS = st.one_of(
    st.just('<features />'),
    _joined(_FEATURES, '<features>', '</features>'),
    st.builds(
        lambda hyperv, others: others.replace('<acpi/>', f'<acpi/>{hyperv}'),
        _HYPERV,
        st.just('<features>\n    <acpi/>\n  </features>')
        | st.just('<features><!-- x --><acpi/></features>'),
    ),
)
_CLOCKS = st.one_of(
    st.just("<clock offset='utc'/>"),
    _joined(_TIMERS, '<clock offset="localtime" a=">">', '</clock>'),
)
_HEADS = st.sampled_from(
    ('', '<?xml version="1.0"?>\n', '<!-- a -->\n<?b c?>\n')
)


@st.composite
def _documents(draw):
    """Return a document and its encoding."""
    parts = draw(st.lists(_FOREIGN, max_size=3, unique=True))
    for holder in (_HOLDERS, _CLOCKS):
        if draw(st.integers(0, 4)):
            at = draw(st.integers(0, len(parts)))
            parts.insert(at, draw(holder))
    space = draw(_SPACES)
    text = ''.join(
        ['<domain type="kvm">', *(space + part for part in parts), space]
    )
    text = f'{draw(_HEADS)}{text}</domain>\n'
    encoding = draw(st.sampled_from(('utf-8', 'utf-16', 'latin')))
    if encoding == 'utf-16':
        return ('\ufeff' + text).encode('utf-16-le')
    if encoding == 'latin' and not text.startswith('<?xml'):
        text = f"<?xml version='1.0' encoding='ISO-8859-15'?>{text}"
        return text.encode('iso-8859-15')
    return text.encode()


def _text(data):
    return source.parse(data, 'x').text


def _is_twice(text):
    """Whether something is there twice, which libvirt never has."""
    there = re.findall(rb'<(spinlocks|stimer|timer\s+name=.hypervclock)', text)
    words = [b' '.join(each.split())[:11] for each in there]
    return len(words) > len(set(words))


class EditPropertiesTestCase(base.TestCase):
    @strategies.for_any(_documents(), _SELECTIONS)
    def test_it_reads_back(self, data, selection):
        document = source.parse(data, 'x')

        written = edit.write(document, edit.Change(selection=selection))

        found = hyperv.read(source.parse(written, 'x').root)
        if selection.tsc_frequency is None:
            self.assertEqual(selection.features, found.features)
        else:
            self.assertEqual(selection.tsc_frequency, found.tsc_frequency)
        self.assertEqual(selection.values, found.values)
        self.assertIs(selection.mode, found.mode)

    @strategies.for_any(_documents(), _SELECTIONS)
    def test_again_nothing_changes(self, data, selection):
        change = edit.Change(selection=selection)
        written = edit.write(source.parse(data, 'x'), change)

        self.assertEqual(
            written, edit.write(source.parse(written, 'x'), change)
        )

    @strategies.for_any(_documents(), _SELECTIONS)
    def test_everything_else_is_the_same_to_the_byte(self, data, selection):
        document = source.parse(data, 'x')
        timers = hyperv.owned_timers(selection)

        written = edit.write(document, edit.Change(selection=selection))

        self.assertEqual(
            tokens.others(document.text, timers),
            tokens.others(_text(written), timers),
        )

    @strategies.for_any(_documents())
    def test_what_it_has_already(self, data):
        document = source.parse(data, 'x')
        if _is_twice(document.text):
            return

        written = edit.write(
            document, edit.Change(selection=hyperv.read(document.root))
        )

        self.assertEqual(data, written)
