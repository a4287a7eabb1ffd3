# SPDX-License-Identifier: Apache-2.0

import ddt
from lxml import etree

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight import exception
from tests.unit import base
from tests.unit.domxml import domains

Mode = profiles.Mode


def text(element):
    return etree.tostring(element).decode()


# How libvirt's formatdomain spells each of them.
SPELLED = (
    ('relaxed', '<relaxed state="on"/>'),
    ('vapic', '<vapic state="on"/>'),
    ('spinlocks', '<spinlocks state="on" retries="8191"/>'),
    ('vpindex', '<vpindex state="on"/>'),
    ('runtime', '<runtime state="on"/>'),
    ('synic', '<synic state="on"/>'),
    ('stimer', '<stimer state="on"/>'),
    ('reset', '<reset state="on"/>'),
    ('vendor_id', '<vendor_id state="on" value="1234567890ab"/>'),
    ('frequencies', '<frequencies state="on"/>'),
    ('reenlightenment', '<reenlightenment state="on"/>'),
    ('tlbflush', '<tlbflush state="on"/>'),
    ('ipi', '<ipi state="on"/>'),
    ('evmcs', '<evmcs state="on"/>'),
    ('avic', '<avic state="on"/>'),
    ('emsr_bitmap', '<emsr_bitmap state="on"/>'),
    ('xmm_input', '<xmm_input state="on"/>'),
    ('stimer.direct', '<stimer state="on"><direct state="on"/></stimer>'),
    (
        'tlbflush.direct',
        '<tlbflush state="on"><direct state="on"/></tlbflush>',
    ),
    (
        'tlbflush.extended',
        '<tlbflush state="on"><extended state="on"/></tlbflush>',
    ),
)


@ddt.ddt
class BuildTestCase(base.TestCase):
    """What is written."""

    def test_spelled_is_complete(self):
        self.assertEqual(domains.FEATURES, tuple(name for name, _ in SPELLED))

    @ddt.unpack
    @ddt.data(*SPELLED)
    def test_build_features(self, name, written):
        chosen = domains.selection(name)
        # Only what is looked at, and the element that it stands in.
        names = {name, name.partition('.')[0]}
        built = hyperv.build_features(
            selections.Selection(
                features=frozenset(names), values=chosen.values
            )
        )
        self.assertEqual(f'<hyperv>{written}</hyperv>', text(built))

    def test_build_features_in_the_catalogue_s_order(self):
        built = hyperv.build_features(domains.selection(*domains.ENTRIES))
        self.assertEqual(
            [name for name in domains.FEATURES if '.' not in name],
            [child.tag for child in built],
        )

    def test_build_features_both_sub_elements(self):
        chosen = selections.Selection(
            features=frozenset(
                ('tlbflush', 'tlbflush.direct', 'tlbflush.extended')
            )
        )
        self.assertEqual(
            '<hyperv><tlbflush state="on"><direct state="on"/>'
            '<extended state="on"/></tlbflush></hyperv>',
            text(hyperv.build_features(chosen)),
        )

    @ddt.data((), ('hypervclock',))
    def test_has_features_nothing(self, names):
        chosen = selections.Selection(features=frozenset(names))
        self.assertFalse(hyperv.has_features(chosen))

    @ddt.data(
        {'features': frozenset(['relaxed'])},
        {'off': frozenset(['reenlightenment'])},
        {'mode': Mode.HOST_MODEL},
        {'mode': Mode.PASSTHROUGH},
    )
    def test_has_features(self, fields):
        self.assertTrue(hyperv.has_features(selections.Selection(**fields)))

    @ddt.unpack
    @ddt.data(
        (Mode.HOST_MODEL, '<hyperv mode="host-model"/>'),
        (Mode.PASSTHROUGH, '<hyperv mode="passthrough"/>'),
    )
    def test_build_features_mode(self, mode, written):
        chosen = selections.Selection(
            mode=mode, features=frozenset(['hypervclock'])
        )
        self.assertEqual(written, text(hyperv.build_features(chosen)))

    def test_build_features_off(self):
        chosen = selections.Selection(
            mode=Mode.HOST_MODEL,
            features=frozenset(['relaxed']),
            off=frozenset(['reenlightenment', 'spinlocks']),
        )
        self.assertEqual(
            '<hyperv mode="host-model"><relaxed state="on"/>'
            '<spinlocks state="off"/><reenlightenment state="off"/></hyperv>',
            text(hyperv.build_features(chosen)),
        )

    def test_build_features_escapes(self):
        chosen = domains.selection(
            'vendor_id', values={'vendor_id.value': '"<&>\''}
        )
        built = etree.fromstring(text(hyperv.build_features(chosen)))
        self.assertEqual('"<&>\'', built[0].get('value'))

    @ddt.unpack
    @ddt.data(
        ({'features': ['hypervclock']}, ['hypervclock'], 'present="yes"'),
        ({'off': ['hypervclock']}, ['hypervclock'], 'present="no"'),
        ({'features': ['synic']}, [], ''),
    )
    def test_build_timers(self, kwargs, names, switch):
        chosen = selections.Selection(
            **{key: frozenset(value) for key, value in kwargs.items()}
        )
        self.assertEqual(
            [f'<timer name="{name}" {switch}/>' for name in names],
            [text(timer) for timer in hyperv.build_timers(chosen)],
        )

    def test_build_timers_tsc(self):
        timers = hyperv.build_timers(domains.selection('reenlightenment'))
        self.assertEqual(
            ['<timer name="tsc" frequency="2794748000"/>'],
            [text(timer) for timer in timers],
        )

    @ddt.unpack
    @ddt.data(
        ((), {'hypervclock'}), (['reenlightenment'], {'hypervclock', 'tsc'})
    )
    def test_owned_timers(self, names, owned):
        self.assertEqual(owned, hyperv.owned_timers(domains.selection(*names)))

    def test_the_pit(self):
        chosen = domains.selection('avic', pit_discards=True)

        self.assertEqual({'hypervclock', 'pit'}, hyperv.owned_timers(chosen))
        self.assertEqual(
            ['<timer name="pit" tickpolicy="discard"/>'],
            [text(timer) for timer in hyperv.build_timers(chosen)],
        )


@ddt.ddt
class ReadTestCase(base.TestCase):
    """What is read."""

    @ddt.unpack
    @ddt.data(
        ('avic', 'tickpolicy="discard"', True),
        ('avic', 'tickpolicy="delay"', False),
        ('avic', '', False),
        # Then it is not ours.
        ('relaxed', 'tickpolicy="discard"', False),
    )
    def test_read_pit(self, feature, policy, discards):
        found = hyperv.read(
            domains.domain(
                f'<hyperv><{feature} state="on"/></hyperv>',
                f'<timer name="pit" {policy}/>',
            )
        )

        self.assertIs(discards, found.pit_discards)

    @ddt.unpack
    @ddt.data(*SPELLED)
    def test_read(self, name, written):
        found = hyperv.read(domains.domain(f'<hyperv>{written}</hyperv>'))
        self.assertEqual({name, name.partition('.')[0]}, found.features)
        self.assertEqual(frozenset(), found.off)

    @ddt.unpack
    @ddt.data(*SPELLED)
    def test_read_off(self, name, written):
        written = written.replace('"on"', '"off"')
        found = hyperv.read(domains.domain(f'<hyperv>{written}</hyperv>'))
        self.assertEqual({name, name.partition('.')[0]}, found.off)
        self.assertEqual(
            (frozenset(), frozenset()), (found.features, found.values)
        )

    @ddt.unpack
    @ddt.data(
        ('spinlocks', {('spinlocks.retries', '8191')}),
        ('vendor_id', {('vendor_id.value', '1234567890ab')}),
        ('relaxed', set()),
    )
    def test_read_values(self, name, values):
        written = dict(SPELLED)[name]
        found = hyperv.read(domains.domain(f'<hyperv>{written}</hyperv>'))
        self.assertEqual(values, found.values)

    @ddt.unpack
    @ddt.data(
        # A dot is a letter like others in the tag of an element.
        ('<stimer.direct state="on"/>', set()),
        ('<a:relaxed xmlns:a="urn:a" state="on"/>', set()),
        ('<!--relaxed--><?relaxed on?><relaxed state="on"/>', {'relaxed'}),
        ('<relaxed state="on"/><relaxed state="off"/>', {'relaxed'}),
        (
            '<stimer state="off"/><stimer><direct state="on"/></stimer>',
            {'stimer.direct'},
        ),
    )
    def test_read_other_elements(self, written, names):
        found = hyperv.read(domains.domain(f'<hyperv>{written}</hyperv>'))
        self.assertEqual(names, found.features)

    def test_read_value_absent(self):
        found = hyperv.read(
            domains.domain('<hyperv><spinlocks state="on"/></hyperv>')
        )
        self.assertEqual({'spinlocks'}, found.features)
        self.assertEqual(frozenset(), found.values)

    @ddt.unpack
    @ddt.data(
        ('<timer name="hypervclock" present="yes"/>', {'hypervclock'}, set()),
        ('<timer name="hypervclock" present="no"/>', set(), {'hypervclock'}),
        ('<timer name="kvmclock" present="yes"/>', set(), set()),
    )
    def test_read_timer(self, clock, names, off):
        found = hyperv.read(domains.domain(clock=clock))
        self.assertEqual((names, off), (found.features, found.off))

    @ddt.data(
        '<domain/>',
        '<domain><features/><clock offset="utc"/></domain>',
        '<domain><features><hyperv/></features></domain>',
        domains.BARE,
    )
    def test_read_nothing(self, document):
        found = hyperv.read(domains.parse(document))
        self.assertEqual(selections.Selection(), found)

    def test_read_elsewhere(self):
        # Only a domain's own features and clock count.
        document = domains.parse(
            '<domain><metadata><features><hyperv><relaxed state="on"/>'
            '</hyperv></features><timer name="hypervclock" present="yes"/>'
            '</metadata></domain>'
        )
        self.assertEqual(selections.Selection(), hyperv.read(document))

    def test_read_unknown_passed_over(self):
        found = hyperv.read(domains.parse(domains.WHOLE))
        self.assertEqual(
            selections.Selection(
                features=frozenset(['relaxed']),
                off=frozenset(['synic', 'hypervclock']),
            ),
            found,
        )

    @ddt.unpack
    @ddt.data(
        ('<hyperv/>', Mode.CUSTOM),
        ('<hyperv mode="custom"/>', Mode.CUSTOM),
        ('<hyperv mode="host-model"/>', Mode.HOST_MODEL),
        ('<hyperv mode="passthrough"/>', Mode.PASSTHROUGH),
        ('', Mode.CUSTOM),
    )
    def test_read_mode(self, written, mode):
        self.assertIs(mode, hyperv.read(domains.domain(written)).mode)

    @ddt.data('', 'maximum', 'Custom', 'passthrough ')
    def test_read_mode_unknown(self, mode):
        error = self.assertRaises(
            exception.MalformedDocument,
            hyperv.read,
            domains.domain(f'<hyperv mode="{mode}"/>'),
        )
        self.assertEqual(
            f'domain cannot be read: <hyperv mode={mode!r}> is not known',
            str(error),
        )

    @ddt.data('domainCapabilities', 'features', '{urn:x}domain')
    def test_read_wrong_root(self, tag):
        error = self.assertRaises(
            exception.MalformedDocument, hyperv.read, etree.Element(tag)
        )
        self.assertEqual(
            f'domain cannot be read: its root element is <{tag}>', str(error)
        )

    @ddt.unpack
    @ddt.data(
        ('<reenlightenment state="on"/>', 'frequency="9"', 9),
        ('<reenlightenment state="on"/>', '', None),
        ('<reenlightenment state="on"/>', 'frequency="x"', None),
        # The operator's own, then.
        ('<reenlightenment state="off"/>', 'frequency="9"', None),
        ('<relaxed state="on"/>', 'frequency="9"', None),
    )
    def test_read_tsc(self, feature, frequency, hertz):
        found = hyperv.read(
            domains.domain(
                f'<hyperv>{feature}</hyperv>',
                f'<timer name="tsc" {frequency}/>',
            )
        )
        self.assertEqual(hertz, found.tsc_frequency)
