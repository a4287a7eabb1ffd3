# SPDX-License-Identifier: Apache-2.0

"""The package's programs on a host and a cloud of the documentation's own.

Run as a file, with the program's name and its arguments; the environment
names the guests that libvirt has.
"""

import os
import pathlib
import socket
import sys
import types

sys.path[0] = str(pathlib.Path(__file__).parents[3])

from nova_hyperv_enlight.catalogue import enlightenments  # noqa: E402
from nova_hyperv_enlight.cmd import main  # noqa: E402
from nova_hyperv_enlight.cmd import status  # noqa: E402
from nova_hyperv_enlight.host import kvm  # noqa: E402
from tests.unit.cmd import base  # noqa: E402
from tests.unit.domains import guests  # noqa: E402
from tests.unit.guest import machine  # noqa: E402

#: The variable that names the guests, parted by spaces.
GUESTS = 'DOCS_GUESTS'
#: The variable that names the host.
HOST = 'DOCS_HOST'

_LACKING = guests.BASELINE.replace(
    '<stimer state="on"><direct state="on"/></stimer>', ''
)
_RECOMMENDED = """
      <relaxed state='on'/>
      <vapic state='on'/>
      <spinlocks state='on' retries='8191'/>
    """
_TIMERS = """
    <timer name='rtc' tickpolicy='catchup'/>"""

#: The guests that the pages tell of.
DOCUMENTS = {
    'instance-00000007': guests.document(
        'instance-00000007',
        metadata=guests.of_nova({'os_type': 'windows'}),
        features=_LACKING,
    ),
    'instance-0000002a': guests.document(
        'instance-0000002a', metadata=guests.of_nova({'os_type': 'windows'})
    ),
    'web': guests.document('web', hpet='yes'),
    'web1': guests.document('web1'),
    'web2': guests.document('web2'),
    'win11': guests.document(
        'win11', features=_RECOMMENDED, timers=_TIMERS
    ).replace('"', "'"),
}
_NEW = (*base.NAMES, 'xmm_input', 'stimer_direct', 'tlbflush_extended')
#: What libvirt lists on other hosts, which are newer.
HOSTS = {
    'compute1': _NEW,
    'compute2': tuple(name for name in _NEW if name != 'avic'),
}
#: The hypervisors of the cloud, and what they offer.
CLOUD = {
    'compute1': frozenset(base.NAMES) | {'hypervclock', 'stimer.direct'},
    'compute2': frozenset(base.NAMES) | {'hypervclock', 'stimer.direct'},
}


#: A server of that cloud.
SERVER = {
    'id': 'aaaaaaaa-0000-0000-0000-000000000001',
    'name': 'SERVER',
    'status': 'ACTIVE',
    'flavor': {'extra_specs': {}},
    'image': {'id': 'bbbbbbbb-0000-0000-0000-000000000001'},
    'OS-EXT-SRV-ATTR:hypervisor_hostname': 'compute1',
}


class Domain(machine.Domain):
    """A guest that was there before, and can be defined anew."""

    def __init__(self, connection, document):
        super().__init__(connection, document)
        text = self.name
        self.name = lambda: text

    def isActive(self):
        return 0

    def isPersistent(self):
        return 1

    def hasManagedSaveImage(self, flags=0):
        return 0


class Connection(machine.Machine, base.FakeConnection):
    """A connection to a host whose KVM emulates Hyper-V."""

    def __init__(self, names=base.NAMES, libvirt=9000000, qemu=7002022):
        machine.Machine.__init__(self)
        answer = base.document(names=names)
        base.FakeConnection.__init__(self, answer, libvirt=libvirt)
        self._qemu = qemu
        self._there = {
            name: Domain(self, DOCUMENTS[name])
            for name in os.environ[GUESTS].split()
        }

    def getVersion(self):
        return self._qemu

    def listAllDomains(self, flags=0):
        return list(self._there.values())

    def lookupByName(self, name):
        if name in self._there:
            return self._there[name]
        raise guests.Failed(f"no domain with matching name '{name}'", 42)

    def defineXML(self, document):
        guest = Domain(self, document)
        self._there[guest.name()] = guest
        return guest


class Service:
    """An adapter of openstacksdk's that gives these answers."""

    def __init__(self, answer):
        self._answer = answer

    def get(self, path, params, microversion):
        found = self._answer(path, params)
        return types.SimpleNamespace(status_code=200, json=lambda: found)


def compute(path, params):
    """Answer as Nova's API."""
    if path == '/os-aggregates':
        return {'aggregates': [{'name': 'windows', 'hosts': list(CLOUD)}]}
    if path.endswith('/os-instance-actions'):
        return {'instanceActions': []}
    if path == '/servers':
        return {'servers': [SERVER]}
    if path.startswith('/servers/'):
        return {'server': SERVER}
    return {
        'hypervisors': [
            {
                'id': name,
                'hypervisor_hostname': name,
                'hypervisor_type': 'QEMU',
                'service': {'host': name},
                'cpu_info': {'vendor': 'AMD'},
            }
            for name in CLOUD
        ]
    }


def image(path, params):
    """Answer as Glance."""
    return {'id': SERVER['image']['id'], 'os_type': 'windows'}


def placement(path, params):
    """Answer as placement."""
    traits = {
        enlightenments.ENLIGHTENMENTS[name].trait: name
        for names in CLOUD.values()
        for name in names
    }
    if path.endswith('/traits'):
        return {'traits': list(traits)}
    return {
        'resource_providers': [
            {'uuid': name}
            for name, names in CLOUD.items()
            if traits[params['required']] in names
        ]
    }


def libvirt():
    """Return what is imported in libvirt-python's place."""
    there = os.environ.get(HOST)
    connection = Connection()
    if there in HOSTS:
        connection = Connection(HOSTS[there], 12000000, 10000000)
    stand_in = base.FakeLibvirt(connection)
    return types.SimpleNamespace(
        libvirtError=stand_in.libvirtError,
        open=stand_in._open,
        openReadOnly=stand_in._open_read_only,
        registerErrorHandler=lambda handler, context: None,
        virEventRegisterDefaultImpl=lambda: 0,
    )


def openstack():
    """Return what is imported in openstacksdk's place."""

    def connect(cloud):
        if cloud != 'mycloud':
            raise LookupError(f'Cloud {cloud} was not found.')
        return types.SimpleNamespace(
            compute=Service(compute),
            image=Service(image),
            placement=Service(placement),
        )

    module = types.ModuleType('openstack')
    module.connect = connect
    module.exceptions = types.SimpleNamespace(
        raise_from_response=lambda response: None
    )
    return module


if __name__ == '__main__':
    sys.modules['libvirt'] = libvirt()
    if '--os-cloud' in sys.argv:
        sys.modules['openstack'] = openstack()
    kvm.ask = lambda: kvm.KernelFacts(hyperv=True, time=True, apic=True)
    host = os.environ.get(HOST, 'compute1')
    socket.gethostname = lambda: host
    program = {
        'nova-hyperv-enlight': main,
        'nova-hyperv-enlight-status': status,
    }[sys.argv[1]]
    sys.argv[:2] = sys.argv[1:2]
    sys.exit(program.main(sys.argv[1:]))
