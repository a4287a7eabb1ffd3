# SPDX-License-Identifier: Apache-2.0

"""How long it takes to audit many guests, and whether memory stays flat.

Each document is another one, of the size that libvirt gives a guest of Nova,
and is made when it is read, as a connection would hand it out.
"""

import itertools
import os
import time
import types

from lxml import etree

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domains import audit
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.policy import settings

from benchmarks import measure
from benchmarks import resolving

DOMAINS = 10000
#: After so many the memory is what it needs for any number.
WARM = 1000
GOAL_MICROSECONDS = 1000
GOAL_MIB = 1

_NOVA = """
    <nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">
      <nova:package version="34.0.0"/>
      <nova:name>windows-{number}</nova:name>
      <nova:creationTime>2026-11-22 16:02:11</nova:creationTime>
      <nova:flavor name="m1.{number}" id="{uuid}">
        <nova:memory>8192</nova:memory>
        <nova:disk>80</nova:disk>
        <nova:swap>0</nova:swap>
        <nova:ephemeral>0</nova:ephemeral>
        <nova:vcpus>4</nova:vcpus>
        <nova:extraSpecs>
          <nova:extraSpec name="hw:cpu_policy">shared</nova:extraSpec>
        </nova:extraSpecs>
      </nova:flavor>
      <nova:image uuid="{uuid}">
        <nova:containerFormat>bare</nova:containerFormat>
        <nova:diskFormat>qcow2</nova:diskFormat>
        <nova:minDisk>80</nova:minDisk>
        <nova:minRam>0</nova:minRam>
        <nova:properties>
          <nova:property name="hw_machine_type">q35</nova:property>
          <nova:property name="os_distro">{distro}</nova:property>
          <nova:property name="os_type">windows</nova:property>
        </nova:properties>
      </nova:image>
      <nova:owner>
        <nova:user uuid="{uuid}">admin</nova:user>
        <nova:project uuid="{uuid}">project</nova:project>
      </nova:owner>
      <nova:root type="image" uuid="{uuid}"/>
      <nova:ports/>
    </nova:instance>
"""
_OSINFO = """
    <l:libosinfo xmlns:l="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <l:os id="http://microsoft.com/win/{number}"/>
    </l:libosinfo>
"""
_DISK = """
    <disk type="file" device="disk">
      <driver name="qemu" type="qcow2" cache="none" discard="unmap"/>
      <source file="/var/lib/nova/instances/{uuid}/disk.{disk}" index="1"/>
      <backingStore type="file" index="3">
        <format type="raw"/>
        <source file="/var/lib/nova/instances/_base/{uuid}"/>
        <backingStore/>
      </backingStore>
      <target dev="vd{disk}" bus="virtio"/>
      <alias name="virtio-disk{disk}"/>
      <address type="pci" domain="0x0000" bus="0x04" slot="0x0{disk}"/>
    </disk>
    <controller type="pci" index="{disk}" model="pcie-root-port">
      <model name="pcie-root-port"/>
      <target chassis="{disk}" port="0x1{disk}"/>
      <alias name="pci.{disk}"/>
      <address type="pci" domain="0x0000" bus="0x00" slot="0x0{disk}"/>
    </controller>
    <interface type="bridge">
      <mac address="fa:16:3e:00:00:0{disk}"/>
      <source bridge="br-int"/>
      <virtualport type="openvswitch">
        <parameters interfaceid="{uuid}"/>
      </virtualport>
      <target dev="tap{disk}"/>
      <model type="virtio"/>
      <mtu size="1450"/>
    </interface>
"""
_DOMAIN = """\
<domain type="kvm" id="{number}">
  <name>instance-{number:08x}</name>
  <uuid>{uuid}</uuid>
  <metadata>{metadata}</metadata>
  <memory unit="KiB">8388608</memory>
  <vcpu placement="static">4</vcpu>
  <os>
    <type arch="x86_64" machine="pc-q35-{machine}">hvm</type>
    <boot dev="hd"/>
  </os>
  <features><acpi/><apic/>{features}<vmcoreinfo state="on"/></features>
  <cpu mode="host-model" check="partial">
    <topology sockets="4" dies="1" cores="1" threads="1"/>
  </cpu>
  <clock offset="{offset}">
    <timer name="pit" tickpolicy="delay"/>
    <timer name="rtc" tickpolicy="catchup"/>
    <timer name="hpet" present="no"/>{timers}
  </clock>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>{devices}
  </devices>
</domain>
"""


def _text(elements):
    return ''.join(etree.tostring(each).decode() for each in elements)


def _sets():
    """Return what guests have: Nova's own list, profiles, and nothing."""
    baseline = profiles.PROFILES['baseline'].features
    values = frozenset((('spinlocks.retries', '8191'),))
    for names in (
        baseline - {'stimer', 'stimer.direct'},
        baseline,
        profiles.PROFILES['performance'].features,
        profiles.PROFILES['minimal'].features,
        frozenset(),
    ):
        chosen = selections.Selection(
            features=names, values=values if names else frozenset()
        )
        features = [hyperv.build_features(chosen)] if names else []
        yield _text(features), _text(hyperv.build_timers(chosen))


_SETS = tuple(_sets())
_DISTROS = ('win10', 'win11', 'win2k16', 'win2k19', 'win2k22', 'win2k25')


def document(number):
    """Return a guest's document: each number is another one."""
    uuid = f'{number:08x}-0000-4000-8000-{number:012x}'
    metadata = _OSINFO if number % 7 == 0 else _NOVA
    features, timers = _SETS[number % len(_SETS)]
    distro = _DISTROS[number % len(_DISTROS)]
    return _DOMAIN.format(
        number=number,
        uuid=uuid,
        metadata=metadata.format(number=number, uuid=uuid, distro=distro),
        machine=('7.2', '8.2', '10.1')[number % 3],
        features=features,
        timers=timers,
        offset='utc' if number % 11 == 0 else 'localtime',
        devices=''.join(
            _DISK.format(uuid=uuid, disk=disk) for disk in range(4)
        ),
    )


def _resident_mib():
    with open('/proc/self/statm') as stream:
        pages = int(stream.read().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 2**20


def _audit(auditor, numbers):
    """Audit guests and forget them.

    :returns: the processor time of the audit alone, and what was found.
    """
    spent = found = 0
    for number in numbers:
        text = document(number)
        guest = types.SimpleNamespace(
            name=lambda number=number: f'instance-{number:08x}',
            isActive=lambda: 0,
            XMLDesc=lambda flags, text=text: text,
        )
        begin = time.thread_time()
        found += len(auditor.audit(guest).found)
        spent += time.thread_time() - begin
    return spent, found


def figures():
    """Measure the audit of a host's guests, against the default profile."""
    host = resolving.host()
    auditor = audit.Auditor(settings.Settings(), lambda *kind: host)
    numbers = iter(range(DOMAINS))
    first, _ = _audit(auditor, itertools.islice(numbers, WARM))
    size = _resident_mib()
    rest, found = _audit(auditor, numbers)
    if not found:
        raise AssertionError('the guests were not audited')
    return [
        measure.Figure(
            what=f'domain audit, each of {DOMAINS} documents',
            value=(first + rest) / DOMAINS * 1e6,
            unit='us',
            goal=GOAL_MICROSECONDS,
        ),
        measure.Figure(
            what='domain audit, documents in a second of one core',
            value=DOMAINS / (first + rest),
            digits=0,
        ),
        measure.Figure(
            what=f'domain audit, memory from document {WARM} on',
            value=_resident_mib() - size,
            unit='MiB',
            goal=GOAL_MIB,
        ),
    ]
