# SPDX-License-Identifier: Apache-2.0
"""What ``convert`` reads and writes, against the programs it is meant for.

QEMU itself says what it makes of a ``-cpu``, and what virt-xml makes of its
options is read back from the domain that it prints.
"""

import functools
import json
import os
import re
import shlex
import shutil
import subprocess

import ddt
from lxml import etree
import testtools

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.notation import convert
from nova_hyperv_enlight.notation import names
from nova_hyperv_enlight.notation import qemu
from tests.corpus import schema
from tests.real import cases

_QEMU = 'qemu-system-x86_64'
_MODEL = 'qemu64'
_CPU = '/machine/unattached/device[0]'
_TIMEOUT_SECONDS = 60
_ENTRIES = enlightenments.ENLIGHTENMENTS
# QEMU's emulator refuses to start with it, whatever else there is: "kernel
# doesn't allow setting HyperV VP_INDEX".
_NEEDS_KVM = 'vpindex'
_ALL = ' '.join((*_ENTRIES, 'tsc.frequency=2794748000'))
_ALL_OFF = ' '.join(f'{name}=off' for name in _ENTRIES)
_MINIMAL = 'relaxed vapic spinlocks.retries=8191 hypervclock'


def _require(test, *programs):
    for program in programs:
        if not shutil.which(program):
            cases.require(test, f'{program} is not installed')


def _run(words, text):
    return subprocess.run(
        words,
        input=text,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        env={'PATH': os.environ['PATH'], 'HOME': '/nonexistent'},
    )


@functools.cache
def _qemu_properties():
    """The properties that this QEMU's CPUs have."""
    done = _run([_QEMU, '-device', f'{_MODEL}-x86_64-cpu,help'], '')
    return set(re.findall(r'^ +([\w-]+)=', done.stdout, re.MULTILINE))


def _ask_qemu(cpu, properties):
    """Start a guest, and return what its CPU has of these properties."""
    commands = [
        {'execute': 'qmp_capabilities'},
        *(
            {
                'execute': 'qom-get',
                'arguments': {'path': _CPU, 'property': each},
            }
            for each in properties
        ),
        {'execute': 'quit'},
    ]
    done = _run(
        [
            *(_QEMU, '-machine', 'pc', '-accel', 'tcg', '-cpu', cpu, '-S'),
            *('-display', 'none', '-nodefaults', '-qmp', 'stdio'),
        ],
        '\n'.join(map(json.dumps, commands)),
    )
    if done.returncode:
        raise AssertionError(done.stderr)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    found = [each['return'] for each in answers if 'return' in each]
    # Of the capabilities first, and of the end last.
    return dict(zip(properties, found[1:-1], strict=True))


@ddt.ddt
class QemuTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        _require(self, _QEMU)

    @ddt.data(*_ENTRIES)
    def test_the_flag_is_known(self, name):
        written = convert.NOTATIONS['qemu'].write(names.read(name).selection)

        # tests/unit says which QEMU brought each; 7.1 the last of them.
        flag = written.text.partition('=')[0]
        self.assertIn(flag, _qemu_properties())

    @ddt.data(*qemu.FLAGS, *qemu.FOREIGN)
    def test_what_is_read_is_known(self, flag):
        self.assertIn(flag, _qemu_properties())

    def test_nothing_of_qemus_is_missing(self):
        known = {
            flag for flag in _qemu_properties() if re.match('(x-)?hv-', flag)
        }
        self.assertEqual(
            set(), known - {*qemu.FLAGS, *qemu.FOREIGN, 'hv-passthrough'}
        )

    def assertQemuAgrees(self, cpu):
        """Check that QEMU makes of a -cpu what we make of it."""
        selection = (
            convert.NOTATIONS['qemu'].read(shlex.join(['-cpu', cpu])).selection
        )
        values = dict(selection.values)
        expected = {
            'hv-passthrough': selection.mode.value == 'passthrough',
            'hv-spinlocks': int(values.get('spinlocks.retries', '4294967295')),
            'hv-vendor-id': values.get('vendor_id.value', 'Microsoft Hv'),
            'tsc-frequency': selection.tsc_frequency or 0,
            **{
                flag: name in selection.features
                for flag, name in qemu.SWITCHES.items()
            },
        }

        self.assertEqual(expected, _ask_qemu(cpu, list(expected)))

    @ddt.data(
        *('relaxed', _MINIMAL, _ALL, _ALL_OFF, 'mode=passthrough avic'),
        "vendor_id.value='KVM Hv' spinlocks.retries=4095",
        "spinlocks.retries=4294967295 vendor_id.value='it'\"'\"'s'",
    )
    def test_what_is_written(self, text):
        selection = names.read(text).selection
        selection = selections.Selection(
            features=selection.features - {_NEEDS_KVM},
            off=selection.off,
            values=selection.values,
            mode=selection.mode,
            tsc_frequency=selection.tsc_frequency,
        )
        written = convert.NOTATIONS['qemu'].write(selection).text

        (flags,) = shlex.split(written)

        self.assertQemuAgrees(f'{_MODEL},{flags}')

    @ddt.data(
        'hv_relaxed,hv_spinlocks=0x1fff,hv_vapic,hv_time',
        'hv-relaxed=on,hv_vapic=yes,hv-time=y,hv-reset=true,+hv-ipi',
        'hv-relaxed=off,hv_vapic=no,hv-time=n,hv-reset=false,-hv-ipi',
        'hv-spinlocks=017777',
        'hv-spinlocks=0XFFF',
        'hv-spinlocks=4096,hv-spinlocks=8191',
        'hv-apicv',
        'hv_vendor_id=a-b=c d',
        'hv-passthrough=on',
        'hv-reenlightenment,tsc-freq=2G',
        'hv-reenlightenment,tsc-frequency=2794748000',
        # Contradictions.
        'hv-synic=off,hv-synic',
        'hv-synic,hv-synic=off',
        'hv-synic,hv_synic=off',
        '-hv-synic,hv-synic=on',
        '+hv-synic,hv-synic=off',
        'hv-synic=off,+hv-synic',
        '-hv-synic,+hv-synic',
        '+hv-synic,-hv-synic',
        'hv-passthrough,hv-passthrough=off',
    )
    def test_what_is_read(self, flags):
        self.assertQemuAgrees(f'{_MODEL},{flags}')


@ddt.ddt
class VirtXmlTest(testtools.TestCase):
    """The peer's edit gives what ours would write."""

    def setUp(self):
        super().setUp()
        _require(self, 'virt-xml', 'virt-install')

    def _virt_xml(self, options, document=None):
        """Return the domain that virt-xml prints.

        :param document: what it edits, None for the test driver's own.
        """
        done = _run(
            [
                *('virt-xml', '--connect', 'test:///default'),
                *(('test',) if document is None else ()),
                *('--edit', '--print-xml', *options),
            ],
            document,
        )
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout

    def assertWritten(self, selection, document):
        """Check that a domain has what we would have written."""
        domain = etree.fromstring(document)
        self.assertEqual(
            set(names.words(selection)), set(names.words(hyperv.read(domain)))
        )
        found = domain.find('./features/hyperv')
        if hyperv.has_features(selection):
            self.assertEqual(
                _canonical(hyperv.build_features(selection)), _canonical(found)
            )
        else:
            self.assertIsNone(found)
        timers = {timer.get('name') for timer in domain.iterfind('./clock/*')}
        self.assertEqual(
            {timer.get('name') for timer in hyperv.build_timers(selection)},
            timers,
        )

    @ddt.data(
        *('relaxed', 'hypervclock=off', _MINIMAL, _ALL),
        'mode=passthrough hypervclock',
        'mode=host-model evmcs=off hypervclock',
        'stimer stimer.direct=off synic=off',
        'spinlocks "vendor_id.value=KVM # Hv$"',
        r"'vendor_id.value= \ ;`'",
    )
    def test_edit(self, text):
        selection = names.read(text).selection
        written = convert.NOTATIONS['virt-xml'].write(selection)

        document = None
        for line in written.text.splitlines():
            document = self._virt_xml(shlex.split(line), document)

        self.assertEqual((), written.losses)
        self.assertWritten(selection, document)

    @ddt.data(
        '--features hyperv_relaxed=on,hyperv.relaxed.state=off',
        '--features hyperv.relaxed.state=off,hyperv_relaxed=on,'
        'hyperv.relaxed.state=off',
        '--features xpath1.set=./hyperv/relaxed/@state,xpath1.value=on,'
        'hyperv_relaxed=off',
        '--features xpath2.set=./hyperv/relaxed/@state,xpath2.value=on,'
        'xpath1.set=./hyperv/relaxed/@state,xpath1.value=off',
        '--features xpath1.set=./hyperv/relaxed/@state,xpath1.value=on,'
        'xpath1.value=off',
        '--features hyperv_relaxed=on --features hyperv_relaxed=off',
        '--clock hypervclock_present=yes,hypervclock_tickpolicy=catchup',
        '--clock hypervclock_tickpolicy=catchup',
        '--clock timer.name=hypervclock,timer.present=yes,'
        'timer1.name=rtc,timer1.present=no',
        '--clock hypervclock_present=yes,timer0.name=hypervclock,'
        'timer0.present=no',
    )
    def test_what_is_read(self, options):
        selection = convert.NOTATIONS['virt-xml'].read(options).selection

        document = self._virt_xml(shlex.split(options))

        found = hyperv.read(etree.fromstring(document))
        self.assertEqual(names.words(selection), names.words(found))

    @ddt.data(_MINIMAL, _ALL)
    def test_install(self, text):
        selection = names.read(text).selection
        written = convert.NOTATIONS['virt-xml'].write(selection)

        done = _run(
            [
                *('virt-install', '--connect', 'test:///default'),
                *('--name', 'new', '--memory', '64', '--disk', 'none'),
                *('--import', '--osinfo', 'generic', '--print-xml'),
                *shlex.split(written.text),
            ],
            '',
        )

        self.assertEqual(0, done.returncode, done.stderr)
        found = hyperv.read(etree.fromstring(done.stdout))
        self.assertEqual(set(names.words(selection)), set(names.words(found)))


@ddt.ddt
class SchemaTest(testtools.TestCase):
    """What is written for libvirt is valid by the schema of this libvirt."""

    def setUp(self):
        super().setUp()
        if not os.path.exists(schema.INSTALLED):
            cases.require(self, 'libvirt has no schema here')
        self._schema = schema.Schema(schema.INSTALLED)

    @ddt.data(
        *('', 'relaxed', 'hypervclock=off', _MINIMAL),
        'mode=passthrough relaxed ipi=off hypervclock',
        'mode=passthrough reenlightenment tsc.frequency=5',
        'stimer stimer.direct=off hypervclock',
        'reenlightenment tsc.frequency=5 hypervclock',
    )
    def test_valid(self, text):
        selection = names.read(text).selection
        written = convert.NOTATIONS['libvirt'].write(selection)

        error = self._schema.error_of_parts(written.text)

        self.assertIsNone(error, written.text)


def _canonical(element):
    """Return an element as text, in whatever order its children are."""
    children = sorted(_canonical(child) for child in element)
    return element.tag, sorted(element.attrib.items()), children
