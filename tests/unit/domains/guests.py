# SPDX-License-Identifier: Apache-2.0

"""Windows guests for tests: as objects, and as libvirt hands them out."""

from lxml import etree

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight.domxml import overrides
from tests.unit.policy import cases

_NOVA = """
    <nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">
      <nova:package version="{release}"/>
      <nova:name>{server}</nova:name>
      <nova:flavor name="big">
        <nova:extraSpecs>{specs}</nova:extraSpecs>
      </nova:flavor>
      <nova:owner>
        <nova:project uuid="p1">demo</nova:project>
      </nova:owner>
      <nova:image uuid="">
        <nova:properties>{properties}</nova:properties>
      </nova:image>
    </nova:instance>
"""
_OSINFO = """
    <l:libosinfo xmlns:l="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <l:os id="{}"/>
    </l:libosinfo>
"""
_DOCUMENT = """\
<domain type="{virt_type}">
  <name>{name}</name>{uuid}
  <metadata>{metadata}</metadata>
  <memory unit="KiB">65536</memory>
  <os>
    <type arch="x86_64" machine="{machine}">hvm</type>
  </os>
  <features>
    <acpi/>
    <hyperv mode="{mode}">{features}</hyperv>
  </features>
  <clock offset="{offset}">
    <timer name="hpet" present="{hpet}"/>{timers}
  </clock>
</domain>
"""
WINDOWS_11 = 'http://microsoft.com/win/11'
#: What the baseline profile gives, as libvirt spells it.
BASELINE = (
    '<relaxed state="on"/><vapic state="on"/>'
    '<spinlocks state="on" retries="8191"/><vpindex state="on"/>'
    '<runtime state="on"/><synic state="on"/>'
    '<stimer state="on"><direct state="on"/></stimer><reset state="on"/>'
    '<frequencies state="on"/><tlbflush state="on"/><ipi state="on"/>'
)
TIMER = '<timer name="hypervclock" present="yes"/>'


def make(**changes):
    """Return a guest at which nothing is to be found.

    :param features: what is on, in place of the baseline.
    :param changes: what else shall be different.
    """
    names = changes.pop('names', cases.BASELINE)
    whole = {
        'name': 'win',
        'uuid': None,
        'virt_type': 'kvm',
        'arch': 'x86_64',
        'machine': 'pc-q35-10.1',
        'emulator': None,
        'firmware': 'bios',
        'nova': None,
        'osinfo': WINDOWS_11,
        'hyperv': selections.Selection(features=frozenset(names)),
        'clock_offset': 'localtime',
        'hpet': False,
        'kernel_pit': True,
        'tsc_frequency': None,
        'nested': False,
    }
    return domain.Domain(**{**whole, **changes})


def _elements(tag, texts):
    return ''.join(
        f'<nova:{tag} name="{name}">{text}</nova:{tag}>'
        for name, text in texts.items()
    )


def of_nova(image=None, specs=None, release='34.0.0', server='web'):
    """Return Nova's metadata as a document has them."""
    return _NOVA.format(
        release=release,
        server=server,
        properties=_elements('property', image or {}),
        specs=_elements('extraSpec', specs or {}),
    )


def of_plugin(properties=None, specs=None):
    """Return our own metadata as a document has them."""
    element = overrides.build(
        overrides.Overrides(
            image_properties=properties or {}, extra_specs=specs or {}
        )
    )
    return etree.tostring(element, encoding='unicode')


def of_osinfo(identifier=WINDOWS_11):
    """Return libosinfo's metadata as a document has them."""
    return _OSINFO.format(identifier)


def document(name='win', **changes):
    """Return a document of which :func:`make` is what is read."""
    whole = {
        'virt_type': 'kvm',
        'uuid': '',
        'machine': 'pc-q35-10.1',
        'metadata': of_osinfo(),
        'mode': 'custom',
        'features': BASELINE,
        'timers': TIMER,
        'offset': 'localtime',
        'hpet': 'no',
    }
    return _DOCUMENT.format(name=name, **{**whole, **changes})


class Failed(Exception):
    """As libvirt.libvirtError.

    :param code: libvirt's number for the error.
    """

    def __init__(self, text, code=1):
        super().__init__(text)
        self._code = code

    def get_error_code(self):
        return self._code


class Guest:
    """A domain of a connection.

    :param answer: its document, or what reading it raises.
    """

    def __init__(self, name, answer):
        self._name = name
        self._answer = answer
        self.read = 0

    def name(self):
        return self._name

    def isActive(self):
        return 0

    def XMLDesc(self, flags=0):
        self.read += 1
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class Connection:
    """A connection to these domains.

    :param guests: their documents, or what reading them raises, by name.
    """

    def __init__(self, guests):
        self.guests = {name: Guest(name, a) for name, a in guests.items()}

    def listAllDomains(self, flags=0):
        return list(self.guests.values())

    def lookupByName(self, name):
        if name not in self.guests:
            raise Failed('Domain not found', code=42)
        return self.guests[name]
