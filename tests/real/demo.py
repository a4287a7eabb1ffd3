# SPDX-License-Identifier: Apache-2.0
"""Boot a Windows image with stock Nova and with the plugin, and compare.

Run it as ``python -m tests.real.demo``.
"""

import argparse
import contextlib
import dataclasses
import importlib.metadata
import os
import re
import sys
import tempfile
import time
import typing
import unittest

from lxml import etree

from tests.fixtures import nova
from tests.functional import base as fake_base
from tests.real import base
from tests.real import embedded
from tests.real import kvm
from tests.real import show
from tests import sets

# What the fake host offers: all that libvirt 9.0 can list on an AMD machine.
FAKE_HOST = sets.LISTED_ON_AMD

BOOTS = (
    ('windows', nova.STOCK_DRIVER),
    ('windows', nova.PLUGIN_DRIVER),
    ('linux', nova.PLUGIN_DRIVER),
)
# libvirt begins the words of a QEMU that ended in one of two ways, and QEMU
# with 2026-01-31T10:20:30.000000Z qemu-system-x86_64:
_QEMU_PREFIX = re.compile(r'.*\S+Z qemu-system-\w+: ', re.S)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one server."""

    status: str
    fault: str
    domain: typing.Any
    lines: list[str]
    is_stock: bool
    seconds: float


class Boot:
    """Boots one server; to be mixed into a test base."""

    OS_TYPE = None
    outcome = None

    def runTest(self):
        """Keep the outcome, whatever it is."""
        started = time.monotonic()
        self.begin()
        server = self.boot({'os_type': self.OS_TYPE}, expected_state=None)
        defined = self.defined_xml(server)
        runs = server['status'] == 'ACTIVE'
        fault = server.get('fault', {}).get('message', '')
        type(self).outcome = Outcome(
            status=server['status'],
            fault=_QEMU_PREFIX.sub('', fault),
            domain=(
                self.domain_xml(server) if runs else etree.fromstring(defined)
            ),
            lines=self.plugin_lines(server),
            is_stock=(
                nova.timeless(defined) == nova.timeless(self.stock_xml(server))
            ),
            seconds=time.monotonic() - started,
        )


class RealBoot(Boot, base.RealTestCase):
    """On real libvirt, in a real QEMU."""

    def begin(self):
        """Start nova-compute."""
        self.start_host()


class FakeBoot(Boot, fake_base.FunctionalTestCase):
    """On Nova's fake libvirt."""

    def begin(self):
        """Start nova-compute on a host that offers everything."""
        self.start_host(
            fake_base.hyperv_document(*FAKE_HOST),
            libvirt_version='9.0.0',
            qemu_version='7.2.0',
        )


@contextlib.contextmanager
def _silence():
    """Keep Nova's and libvirt's talk away from the terminal."""
    with tempfile.TemporaryFile() as sink:
        kept = os.dup(2)
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _run(boot_class, os_type, driver, virt_type):
    """Boot one server; exits where that fails for a reason of the machine."""
    case = type(
        boot_class.__name__,
        (boot_class,),
        {'COMPUTE_DRIVER': driver, 'OS_TYPE': os_type, 'VIRT_TYPE': virt_type},
    )
    result = unittest.TestResult()
    with _silence():
        case().run(result)
    if result.skipped:
        sys.exit(f'  cannot boot: {result.skipped[0][1]}')
    for _test, trace in result.errors + result.failures:
        sys.exit(trace)
    return case.outcome


def _introduce(arguments, virt_type):
    nova_version = importlib.metadata.version('nova')
    show.heading('nova-hyperv-enlight: one Windows image, two drivers')
    if arguments.fake:
        show.line(
            f"Nova {nova_version} on Nova's own FAKE libvirt: no guest "
            "runs, only the XML is real."
        )
        show.line(
            "The host is made up: libvirt 9.0, QEMU 7.2, an AMD KVM "
            "with all of Hyper-V."
        )
        return
    try:
        versions = embedded.get().versions()
    except embedded.Unavailable as err:
        sys.exit(
            f"  Real guests cannot be had here: {err}\n"
            "  With --fake, Nova's fake libvirt stands in."
        )
    show.line(f'Nova {nova_version}, {versions}, virt_type={virt_type}')
    if kvm.missing():
        show.line(f'This machine has no KVM: {kvm.missing()}.')
    elif kvm.emulates_hyperv():
        show.line('The KVM of this machine emulates Hyper-V.')
    else:
        show.line('The KVM of this machine does not emulate Hyper-V.')


def _compare(stock, ours):
    show.line()
    show.row('', nova.STOCK_DRIVER, nova.PLUGIN_DRIVER)
    show.line('─' * show.width(), 'dim')
    pair = (stock, ours)
    show.row('server', *(outcome.status for outcome in pair))
    show.row('fault', *(outcome.fault or '-' for outcome in pair))
    show.row(
        '<hyperv>', *(show.enlightenments(outcome.domain) for outcome in pair)
    )
    show.row('<clock>', *(show.clock(outcome.domain) for outcome in pair))
    if stock.status == 'ERROR':
        show.line()
        show.line(
            'Nothing runs on the left: it is what Nova asked for.', 'dim'
        )


def _parse():
    parser = argparse.ArgumentParser(
        prog='python -m tests.real.demo', description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        '--fake',
        action='store_true',
        help="use Nova's fake libvirt instead of a real one",
    )
    parser.add_argument(
        '--virt-type',
        choices=('kvm', 'qemu'),
        help='default: kvm where /dev/kvm opens',
    )
    return parser.parse_args()


def main():
    """Run the demonstration."""
    arguments = _parse()
    if nova.plugin_missing():
        sys.exit(f'  Nothing to show: {nova.plugin_missing()}.')
    virt_type = arguments.virt_type
    if not virt_type:
        virt_type = 'qemu' if kvm.missing() and not arguments.fake else 'kvm'

    _introduce(arguments, virt_type)
    show.line()
    boot_class = FakeBoot if arguments.fake else RealBoot
    outcomes = []
    for os_type, driver in BOOTS:
        outcome = _run(boot_class, os_type, driver, virt_type)
        outcomes.append(outcome)
        show.line(
            f'booted {os_type:<8} {driver:<30}'
            f'{outcome.status:<8}{outcome.seconds:5.1f} s'
        )
    stock, ours, linux = outcomes

    _compare(stock, ours)
    show.heading('What nova-compute logged about the Windows guest')
    for text in ours.lines or ['(nothing)']:
        show.paragraph(text)
    show.heading('And a Linux image?')
    whose = 'Nova\'s own, byte for byte' if linux.is_stock else 'CHANGED'
    show.line(f'{linux.status}; its XML is {whose}.')
    show.line()


if __name__ == '__main__':
    main()
