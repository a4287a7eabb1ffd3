# SPDX-License-Identifier: Apache-2.0

"""How long it takes to plan a change of guests, beside virt-xml.

The same enlightenments, print only, on the same guests of libvirt's driver
for tests. One process of ours serves them all; virt-xml takes one process
for each, of which some are measured. Processor time, with the start of the
processes and the opening of the connection.
"""

import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

from benchmarks import measure
from benchmarks import resolving

GUESTS = 200
#: "At least a hundred times less."
GOAL = 0.01
PROCESSES = 7
_PROGRAM = pathlib.Path(sys.executable).with_name('nova-hyperv-enlight')
_MINIMAL = ','.join(
    f'hyperv.{name}.state=on' for name in ('relaxed', 'vapic', 'spinlocks')
)
_DOMAIN = """
<domain type="kvm">
  <name>windows-{number}</name>
  <metadata>
    <l:libosinfo xmlns:l="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <l:os id="http://microsoft.com/win/11"/>
    </l:libosinfo>
  </metadata>
  <memory unit="GiB">4</memory>
  <vcpu>2</vcpu>
  <os><type arch="x86_64" machine="q35">hvm</type></os>
  <features><acpi/><apic/></features>
  <clock offset="localtime">
    <timer name="rtc" tickpolicy="catchup"/>
    <timer name="hpet" present="no"/>
  </clock>
  <devices>
    <disk type="file" device="disk">
      <source file="/absent/{number}"/>
      <target dev="vda" bus="virtio"/>
    </disk>
    <interface type="network"><source network="default"/></interface>
    <graphics type="vnc" port="-1"/>
  </devices>
</domain>
"""


def _processor_time():
    """Return that of all processes that have ended, in milliseconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (usage.ru_utime + usage.ru_stime)


def _spent(*argv):
    """Run a program.

    :returns: its processor time in milliseconds, and what it printed
    """
    before = _processor_time()
    done = subprocess.run(
        argv, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return _processor_time() - before, done.stdout


def _ours(uri, *argv):
    spent, shown = _spent(
        _PROGRAM,
        *('domain', 'apply', '--connect', uri, '--profile', 'minimal'),
        *('--domcaps', str(resolving.DOCUMENT)),
        *argv,
    )
    return spent, shown.count(b"+      <relaxed state='on'/>")


def _theirs(uri, name):
    features = f'{_MINIMAL},hyperv.spinlocks.retries=8191'
    spent, shown = _spent(
        *('virt-xml', '--connect', uri, name, '--edit'),
        *('--features', features, '--print-diff'),
    )
    return spent, shown.count(b'<relaxed')


def _measure(uri):
    """Return the milliseconds of all at once, of one, and of virt-xml."""
    passes = []
    for number in range(PROCESSES):
        name = f'windows-{number}'
        every, changed = _ours(uri, '--all')
        one, one_changed = _ours(uri, name)
        theirs, theirs_changed = _theirs(uri, name)
        if (changed, one_changed, theirs_changed) != (GUESTS, 1, 1):
            raise AssertionError('not every guest was changed')
        passes.append((every, one, theirs))
    return (statistics.median(each) for each in zip(*passes, strict=True))


def figures():
    """Measure, in turns: the machine has other things to do as well."""
    if shutil.which('virt-xml') is None:
        raise RuntimeError('virt-xml is needed: install virtinst')
    with tempfile.TemporaryDirectory() as directory:
        node = pathlib.Path(directory, 'node.xml')
        domains = (_DOMAIN.format(number=n) for n in range(GUESTS))
        node.write_text(f'<node>{"".join(domains)}</node>')
        uri = f'test://{node}'
        # What is compiled or cached is so from then on.
        _ours(uri, '--all')
        _theirs(uri, 'windows-0')
        every, one, theirs = _measure(uri)
    return [
        measure.Figure(
            what=f'domain apply, each of {GUESTS} / virt-xml',
            value=every / GUESTS / theirs,
            goal=GOAL,
            digits=4,
        ),
        measure.Figure(
            what='  how many times less that is',
            value=GUESTS * theirs / every,
            digits=0,
        ),
        measure.Figure(
            what='  without the start of the process',
            value=(GUESTS - 1) * theirs / (every - one),
            digits=0,
        ),
        measure.Figure(
            what=f'  domain apply, each of {GUESTS}',
            value=every / GUESTS,
            unit='ms',
            digits=2,
        ),
        measure.Figure(
            what='domain apply of one guest / virt-xml',
            value=one / theirs,
            digits=2,
        ),
        measure.Figure(what='  virt-xml, one guest', value=theirs, unit='ms'),
    ]
