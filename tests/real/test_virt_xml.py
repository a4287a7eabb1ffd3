# SPDX-License-Identifier: Apache-2.0
"""``domain apply`` beside virt-xml, which it follows."""

import pathlib
import shutil
import subprocess
import sys

import ddt
from lxml import etree

from tests.real import cases
from tests.real import guests
from tests.real import test_apply


@ddt.ddt
class VirtXmlTest(test_apply.TestDriverCase):
    """The same edit by both tools on the same guests."""

    # What virt-xml has words for; for the rest it takes paths.
    WORDS = ('relaxed', 'vapic', 'spinlocks', 'synic', 'reset')

    def setUp(self):
        super().setUp()
        cases.require(
            self,
            None if shutil.which('virt-xml') else 'virtinst is not installed',
        )

    def virt_xml(self, text, *argv):
        """Return what virt-xml makes of a document."""
        return subprocess.run(
            ['virt-xml', '--connect', self.URI, '--edit', *argv]
            + ['--print-xml'],
            input=text,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    def features(self, names, state):
        """Return virt-xml's words for a set."""
        words, paths = [], 0
        for name in sorted(names - {'hypervclock'}):
            if name in self.WORDS:
                words.append(f'hyperv.{name}.state={state}')
            else:
                path = f'./hyperv/{name.replace(".", "/")}/@state'
                words += [
                    f'xpath{paths}.set={path}',
                    f'xpath{paths}.value={state}',
                ]
                paths += 1
        if 'spinlocks' in names and state == 'on':
            words.append('hyperv.spinlocks.retries=8191')
        return ','.join(words)

    def assertSame(self, theirs, ours):
        """Check that <hyperv> and <timer> are the same, in libvirt's eyes."""
        found = []
        for text in (theirs, ours):
            # libvirt puts both into its own order.
            domain = self.connection.defineXML(text)
            root = etree.fromstring(domain.XMLDesc(test_apply.INACTIVE))
            found.append(
                [
                    etree.tostring(each, method='c14n2', strip_text=True)
                    for each in (
                        root.find('features/hyperv'),
                        *root.findall('clock/timer'),
                    )
                    if each is not None
                ]
            )
        self.assertEqual(*found)

    @ddt.data(
        'minimal',
        'baseline',
        'relaxed vapic spinlocks',
        'synic vpindex',
        'reset frequencies runtime',
        'tlbflush ipi vpindex',
    )
    def test_on(self, what):
        profiles = {'minimal': guests.MINIMAL, 'baseline': guests.BASELINE}
        names = profiles.get(what) or frozenset(what.split())
        argv = ['--profile', what] if what in profiles else []
        if not argv:
            for name in sorted(names):
                argv += ['--on', name]
        domain = self.define('win')
        theirs = self.virt_xml(
            domain.XMLDesc(test_apply.INACTIVE | test_apply.SECURE),
            '--features',
            self.features(names, 'on'),
        )
        if 'hypervclock' in names:
            theirs = self.virt_xml(
                theirs, '--clock', 'hypervclock_present=yes'
            )

        _, ours = self.call('win', *argv, '--print-xml')

        self.assertIn('<hyperv', theirs)
        self.assertSame(theirs, ours)

    def test_the_timer_alone(self):
        domain = self.define('win')
        theirs = self.virt_xml(
            domain.XMLDesc(test_apply.INACTIVE),
            '--clock',
            'hypervclock_present=yes',
        )

        _, ours = self.call('win', '--on', 'hypervclock', '--print-xml')

        self.assertSame(theirs, ours)

    def test_another_number(self):
        features = "<hyperv><spinlocks state='on' retries='4096'/></hyperv>"
        domain = self.define('win', features=features)
        theirs = self.virt_xml(
            domain.XMLDesc(test_apply.INACTIVE),
            *('--features', 'hyperv.relaxed.state=on'),
        )

        _, ours = self.call('win', '--on', 'relaxed', '--print-xml')

        self.assertIn("retries='4096'", ours)
        self.assertSame(theirs, ours)

    def test_the_program_on_a_pipe(self):
        domain = self.define('win')
        text = domain.XMLDesc(test_apply.INACTIVE)
        program = pathlib.Path(sys.executable).with_name('nova-hyperv-enlight')

        ours = subprocess.run(
            [program, 'domain', 'apply', '-', '--print-xml']
            + ['--profile', 'minimal'],
            input=text,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

        theirs = self.virt_xml(
            self.virt_xml(
                text, '--features', self.features(guests.MINIMAL, 'on')
            ),
            *('--clock', 'hypervclock_present=yes'),
        )
        self.assertSame(theirs, ours)
