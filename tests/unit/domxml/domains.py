# SPDX-License-Identifier: Apache-2.0

"""Domains for tests."""

from lxml import etree

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import selections

ENTRIES = enlightenments.ENLIGHTENMENTS
FEATURES = tuple(name for name in ENTRIES if name != 'hypervclock')
DEFAULTS = {'spinlocks.retries': '8191', 'vendor_id.value': '1234567890ab'}

#: As Nova writes a domain, in short; with what is not Nova's as well.
WHOLE = """\
<domain xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0" type="kvm">
  <!-- a guest -->
  <name>instance-00000001</name>
  <uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>
  <metadata>
    <nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">
      <nova:name>hyperv &amp; co</nova:name>
    </nova:instance>
  </metadata>
  <memory unit="KiB">2097152</memory>
  <vcpu>2</vcpu>
  <os>
    <type machine="pc">hvm</type>
  </os>
  <features>
    <acpi/>
    <!-- before -->
    <hyperv>
      <relaxed state="on"/>
      <synic state="off"/>
      <novelty state="on"/>
    </hyperv>
    <!-- after -->
    <apic/>
  </features>
  <clock offset="localtime">
    <timer name="pit" tickpolicy="delay"/>
    <timer name="hypervclock" present="no"/>
    <!-- ticks -->
    <timer name="rtc" tickpolicy="catchup"/>
  </clock>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
  </devices>
  <qemu:commandline>
    <qemu:arg value="-cpu"/>
    <qemu:arg value="host,hv-enforce-cpuid"/>
  </qemu:commandline>
</domain>
"""

BARE = """\
<domain type="kvm">
  <name>bare</name>
</domain>
"""


def parse(text):
    return etree.fromstring(text)


def domain(features='', clock=''):
    """Return a domain with these features and timers."""
    return parse(
        f'<domain><features>{features}</features>'
        f'<clock offset="utc">{clock}</clock></domain>'
    )


def close(names, vendor=None):
    """Return the names with all that they require."""
    closed = set(names)
    while True:
        needed = {
            each
            for name in closed
            for each in ENTRIES[name].requirements(vendor)
        }
        if needed <= closed:
            return frozenset(closed)
        closed |= needed


def selection(*names, values=DEFAULTS, **changes):
    """Return the selection of these names and of what they require.

    :param values: what those carry that carry a value.
    """
    closed = close(names)
    if 'reenlightenment' in closed:
        changes.setdefault('tsc_frequency', 2794748000)
    return selections.Selection(
        features=closed,
        values=frozenset(
            (key, text)
            for key, text in values.items()
            if key.partition('.')[0] in closed
        ),
        **changes,
    )


def canonical(element):
    """Return a tree as text in which only real differences show."""
    return etree.tostring(
        element, method='c14n2', strip_text=True, with_comments=True
    ).decode()
