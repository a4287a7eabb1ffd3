# SPDX-License-Identifier: Apache-2.0

import json
import textwrap

import ddt
import yaml

from nova_hyperv_enlight.catalogue import enlightenments
from tests.unit.notation import cases

_DOMAIN = {
    'features': {'acpi': {}, 'hyperv': {'relaxed': {}, 'ipi': {}}},
    'clock': {'utc': {}, 'timer': {'hpet': {'present': False}, 'hyperv': {}}},
    'devices': {'disks': [{'name': 'root'}]},
}
_WRAPPED = (
    {
        'apiVersion': 'kubevirt.io/v1',
        'kind': 'VirtualMachine',
        'spec': {'template': {'spec': {'domain': _DOMAIN}}},
    },
    {'template': {'spec': {'domain': _DOMAIN}}},
    {'kind': 'VirtualMachineInstance', 'spec': {'domain': _DOMAIN}},
    {'domain': _DOMAIN},
    _DOMAIN,
)
_KNOWN = tuple(
    entry.name
    for entry in enlightenments.ENLIGHTENMENTS.values()
    if entry.kubevirt
)
#: KubeVirt's own names, copied once more: api/core/v1/schema.go.
_NAMES = {
    'relaxed', 'vapic', 'spinlocks', 'vpindex', 'runtime', 'synic',
    'synictimer', 'synictimer.direct', 'reset', 'vendorid', 'frequencies',
    'reenlightenment', 'tlbflush', 'tlbflush.direct', 'tlbflush.extended',
    'ipi', 'evmcs',
}  # fmt: skip


def _laughs(anchors=30):
    """Return a mapping that would be huge without its aliases."""
    lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
    lines += [
        f'a{n}: &a{n} [{", ".join([f"*a{n - 1}"] * 9)}]'
        for n in range(1, anchors)
    ]
    return '\n'.join(lines)


def _preference(kind='VirtualMachineClusterPreference', name='windows'):
    return yaml.safe_dump(
        {
            'kind': kind,
            'metadata': {'name': name},
            'spec': {
                'clock': {'preferredTimer': {'hyperv': {}}},
                'features': {
                    'preferredHyperv': {
                        'relaxed': {},
                        'spinlocks': {'spinlocks': 8191},
                    }
                },
            },
        }
    )


def _machine(timer=None, **hyperv):
    """Return a machine that refers to that preference."""
    domain = {'features': {'hyperv': hyperv}, 'devices': {}}
    if timer is not None:
        domain['clock'] = {'timer': timer}
    return yaml.safe_dump(
        {
            'kind': 'VirtualMachine',
            'spec': {
                'preference': {'name': 'windows'},
                'template': {'spec': {'domain': domain}},
            },
        }
    )


@ddt.ddt
class KubevirtTestCase(cases.NotationTestCase):
    notation = 'kubevirt'

    def test_names(self):
        found = {
            entry.kubevirt
            for entry in enlightenments.ENLIGHTENMENTS.values()
            if entry.kubevirt
        }
        self.assertEqual(_NAMES | {'hyperv'}, found)

    @ddt.data(*_WRAPPED)
    def test_wherever_the_domain_is(self, document):
        for text in (yaml.safe_dump(document), json.dumps(document)):
            self.assertReads('relaxed ipi hypervclock', text)

    def test_among_other_documents(self):
        text = f'kind: Secret\n---\n{json.dumps(_WRAPPED[0])}\n---\n'

        self.assertReads('relaxed ipi hypervclock', text)

    @ddt.data(
        ('', ''),
        ('{}', ''),
        ('features: {}', ''),
        ('hyperv: {relaxed: {}}', 'relaxed'),
        ('{relaxed: {}, vapic: {}}', 'relaxed vapic'),
        ('hyperv: {relaxed: {enabled: false}}', 'relaxed=off'),
        ('hyperv: {relaxed: {enabled: true}}', 'relaxed'),
        ('hyperv: {relaxed: {enabled: No}}', 'relaxed=off'),
        ('hyperv: {relaxed:}', 'relaxed'),
        ('hyperv: {spinlocks: {}}', 'spinlocks.retries=4096'),
        ('hyperv: {spinlocks: {spinlocks: 8191}}', 'spinlocks.retries=8191'),
        ('hyperv: {spinlocks: {spinlocks: 0x1fff}}', 'spinlocks.retries=8191'),
        ('hyperv: {spinlocks: {enabled: false}}', 'spinlocks=off'),
        ('hyperv: {vendorid: {vendorid: KVM Hv}}', 'vendor_id.value=KVM Hv'),
        ('hyperv: {vendorid: {vendorid: "0123"}}', 'vendor_id.value=0123'),
        ('hyperv: {synictimer: {direct: {}}}', 'stimer stimer.direct'),
        (
            'hyperv: {tlbflush: {enabled: true, direct: {enabled: false}, '
            'extended: {}}}',
            'tlbflush tlbflush.direct=off tlbflush.extended',
        ),
        ('hypervPassthrough: {}', 'mode=passthrough'),
        ('features: {hypervPassthrough: {enabled: false}}', ''),
        ('clock: {timer: {hyperv: {present: false}}}', 'hypervclock=off'),
        ('domain: {x: &x {relaxed: {}}, features: {hyperv: *x}}', 'relaxed'),
        ('{relaxed: &x {}, vapic: *x}', 'relaxed vapic'),
    )
    @ddt.unpack
    def test_read(self, text, expected):
        self.assertReads(expected, text)

    @ddt.data(
        (_preference(), 'relaxed spinlocks.retries=8191 hypervclock'),
        ('features: {preferredHyperv: {ipi: {}}}', 'ipi'),
        ('clock: {preferredTimer: {hyperv: {}}}', 'hypervclock'),
        (
            f'{_machine()}---\n{_preference()}',
            'relaxed spinlocks.retries=8191 hypervclock',
        ),
        # What a machine says itself wins, and its timers are all it has.
        (
            f'{_preference()}---\n'
            f'{_machine(relaxed={"enabled": False}, ipi={})}',
            'relaxed=off spinlocks.retries=8191 ipi hypervclock',
        ),
        (
            f'{_preference()}---\n'
            f'{_machine(timer={"hpet": {"present": False}})}',
            'relaxed spinlocks.retries=8191',
        ),
    )
    @ddt.unpack
    def test_preferences(self, text, expected):
        self.assertReads(expected, text)
        self.assertEqual((), self.read(text).losses)

    @ddt.data(
        _machine(ipi={}),
        f'{_machine(ipi={})}---\n{_preference(name="other")}',
        f'{_machine(ipi={})}---\n'
        f'{_preference(kind="VirtualMachinePreference")}',
    )
    def test_a_preference_that_is_not_there(self, text):
        self.assertReads('ipi', text)
        self.assertEqual(
            ['preference: windows'],
            [loss.word for loss in self.read(text).losses],
        )

    def test_a_preference_that_a_volume_names(self):
        machine = yaml.safe_load(_machine(ipi={}))
        machine['spec']['preference'] = {'inferFromVolume': 'root'}

        read = self.read(f'{json.dumps(machine)}\n---\n{_preference()}')

        self.assertEqual(
            ['preference: of the volume root'],
            [loss.word for loss in read.losses],
        )

    def test_a_pool(self):
        pool = {'spec': {'virtualMachineTemplate': _WRAPPED[0]}}
        self.assertReads('relaxed ipi hypervclock', json.dumps(pool))

    @ddt.data(('hyperv', ['panicDevices: hyperv']), ('isa', []))
    @ddt.unpack
    def test_a_panic_device_is_named(self, model, expected):
        domain = {**_DOMAIN, 'devices': {'panicDevices': [{'model': model}]}}

        read = self.read(json.dumps({'domain': domain}))

        self.assertEqual(expected, [loss.word for loss in read.losses])

    @ddt.data(
        ('hyperv: {stimer: {}}', "'stimer' of hyperv is not known; there are"),
        ('hyperv: {avic: {}}', "'avic' of hyperv is not known"),
        ('hyperv: {synictimer: {extended: {}}}', "'extended' of synictimer"),
        ('hyperv: {relaxed: {state: on}}', "'state' of relaxed"),
        ('hyperv: {relaxed: {relaxed: 1}}', "'relaxed' of relaxed"),
        ('hyperv: {relaxed: {enabled: maybe}}', 'is not true or false'),
        ('hyperv: {relaxed: {enabled: [true]}}', 'is not true or false'),
        ('hyperv: {relaxed: true}', "'relaxed' is not a mapping"),
        ('hyperv: [relaxed]', "'hyperv' is not a mapping"),
        ('hyperv: {spinlocks: {spinlocks: 5}}', 'allowed is a whole number'),
        ('hyperv: {spinlocks: {spinlocks: [5]}}', 'is not a value'),
        ('hyperv: {vendorid: {}}', "'vendor_id' has no 'vendor_id.value'"),
        (
            'features: {hyperv: {relaxed: {}}, hypervPassthrough: {}}',
            'hypervPassthrough excludes hyperv',
        ),
        ('kind: Secret', 'there is no domain with features or a clock'),
        ('[1, 2]', 'there is no domain'),
        ('relaxed', 'there is no domain'),
        ('domain: {features: {}}\n---\ndomain: {clock: {}}', 'are 2 guests'),
        (f'{_preference()}---\n{_preference()}', 'and 2 preferences in it'),
        (
            'kind: VirtualMachinePreference\n'
            'spec: {features: {preferredHyperv: {avic: {}}}}',
            "'avic' of hyperv is not known",
        ),
        ('hyperv: {relaxed: {}, relaxed: {}}', "'relaxed' is there twice"),
        ('x: &x {hyperv: {}}\nfeatures: {<<: *x}', 'merge keys are not read'),
        ('[a]: b', 'a key is not a text'),
        ('a: &a {b: *a}', 'recursive'),
        ('hyperv: {relaxed: {}', 'cannot be read'),
        ('hyperv: "\x07"', 'cannot be read'),
        (_laughs() + '\nhyperv: *a29', "'hyperv' is not a mapping"),
        (_laughs() + '\nhyperv: {relaxed: {enabled: *a29}}', 'is not true or'),
        ('[' * 5000, 'it is nested too deep'),
    )
    @ddt.unpack
    def test_refused(self, text, reason):
        self.assertRefused(text, reason)

    @ddt.data(
        ('', '{}'),
        ('synic=off', 'hyperv:\n  synic:\n    enabled: false'),
        (
            'stimer stimer.direct=off',
            'hyperv:\n  synictimer:\n    direct:\n      enabled: false',
        ),
        ('tlbflush tlbflush.extended',
         'hyperv:\n  tlbflush:\n    extended: {}'),
        ('mode=passthrough', 'hypervPassthrough:\n  enabled: true'),
    )  # fmt: skip
    @ddt.unpack
    def test_write(self, text, expected):
        if text:
            expected = textwrap.indent(expected, '    ')
            expected = f'domain:\n  features:\n{expected}'
        self.assertWrites(expected, text)

    @ddt.data('1e3', '0x10', 'on', '~', '0123', '1.5', 'a: b')
    def test_a_vendor_stays_a_text(self, vendor_id):
        text = self.write(f"vendor_id.value='{vendor_id}'").text

        self.assertIn(f'vendorid: "{vendor_id}"', text)

    def test_retries_are_a_number(self):
        document = yaml.safe_load(self.write('spinlocks').text)

        self.assertEqual(
            8191,
            document['domain']['features']['hyperv']['spinlocks']['spinlocks'],
        )

    @ddt.data(
        *('avic', 'emsr_bitmap', 'xmm_input'),
        'spinlocks.retries=4095',
        'mode=host-model',
        'stimer.direct',
    )
    def test_what_cannot_be_said(self, word):
        self.assertWrites(self.write('ipi').text, f'ipi {word}', word)

    @ddt.data('avic=off', 'emsr_bitmap=off', 'stimer.direct=off')
    def test_what_is_off_needs_no_name(self, word):
        self.assertWrites(self.write('ipi').text, f'ipi {word}')
        passthrough = self.write('mode=passthrough').text
        self.assertWrites(passthrough, f'mode=passthrough {word}', word)

    def test_a_frequency_cannot_be_said(self):
        self.assertWrites(
            self.write('reenlightenment').text,
            'reenlightenment tsc.frequency=5',
            'tsc.frequency=5',
        )

    def test_nothing_is_beside_passthrough(self):
        self.assertWrites(
            self.write('mode=passthrough hypervclock').text,
            'mode=passthrough hypervclock ipi',
            'ipi',
        )

    def test_every_name_can_be_said(self):
        self.assertEqual((), self.write(' '.join(_KNOWN)).losses)
