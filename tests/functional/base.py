# SPDX-License-Identifier: Apache-2.0
"""A whole Nova on its fake libvirt, with recorded capability documents."""

import collections.abc

import fixtures
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.fixtures import libvirt_data
from nova.tests.functional.libvirt import base
from oslo_utils import versionutils

from tests.fixtures import nova
from tests.fixtures import server

_CONNECTION = 'nova.tests.fixtures.libvirt.Connection'


def libvirt_error(message, code=fakelibvirt.VIR_ERR_INTERNAL_ERROR):
    """An error as the fake libvirt raises it."""
    return fakelibvirt.make_libvirtError(
        fakelibvirt.libvirtError, message, error_code=code
    )


def hyperv_document(*names, machine='pc-i440fx-7.2'):
    """Nova's own fake document, with these enlightenments offered.

    For tests that care about some names only; a document of a real host must
    be whole, because Nova reads its devices.
    """
    connection = fakelibvirt.Connection
    values = ''.join(f'<value>{name}</value>' for name in names)
    return libvirt_data.DOMCAPABILITIES_X86_64_TEMPLATE % {
        'devices': connection._domain_capability_devices,
        'tpm': connection._domain_capability_tpm,
        'mtype': machine,
        'features': f"<features><hyperv supported='yes'><enum name='features'>"
        f"{values}</enum></hyperv></features>",
    }


class DomainCapabilities(fixtures.Fixture):
    """Let the fake libvirt answer with recorded domain capabilities.

    :param answer: a document, or an exception to raise, or None for what
        Nova's fixture says; or a mapping from machine type to one of these,
        in which the key None stands for all others
    :ivar calls: the arguments of every call, oldest first
    """

    METHOD = f'{_CONNECTION}.getDomainCapabilities'

    def __init__(self, answer):
        super().__init__()
        self.calls = []
        self._answer = answer
        self._real = fakelibvirt.Connection.getDomainCapabilities

    def _setUp(self):
        def get(conn, emulator, arch, machine, virttype, flags=0):
            self.calls.append((emulator, arch, machine, virttype, flags))
            # Nova asks about all that its fake host can emulate
            answer = self._find(machine) if arch == 'x86_64' else None
            if answer is None:
                return self._real(
                    conn, emulator, arch, machine, virttype, flags
                )
            if isinstance(answer, Exception):
                raise answer
            return answer

        self.useFixture(fixtures.MonkeyPatch(self.METHOD, get))

    def _find(self, machine):
        if isinstance(self._answer, collections.abc.Mapping):
            return self._answer.get(machine, self._answer.get(None))
        return self._answer


class FunctionalTestCase(server.ServerMixin, base.ServersTestBase):
    """One compute node on the fake libvirt; see ``ServerMixin`` for more.

    The machine that runs the test has no say: /dev/kvm and /sys are hidden.
    """

    def setUp(self):
        super().setUp()
        self.useFixture(nova.HiddenPaths('/dev/kvm', '/sys/'))
        self._guest_xml = self.useFixture(
            nova.GuestXML(
                f'{_CONNECTION}.defineXML', f'{_CONNECTION}.createXML'
            )
        )

    def _setup_compute_service(self):
        """Wait for ``start_host``: a test may have more to configure."""

    def start_host(
        self,
        capabilities=None,
        libvirt_version=None,
        qemu_version=None,
        hostname='compute1',
    ):
        """Start nova-compute on a host of these versions.

        :param capabilities: see ``DomainCapabilities``
        :param libvirt_version: such as '9.0.0'; None for Nova's minimum
        :param qemu_version: such as '7.2.0'; None for Nova's minimum
        :returns: the capabilities fixture
        """
        fixture = self.useFixture(DomainCapabilities(capabilities))
        with self.starting():
            self.start_compute(
                hostname,
                libvirt_version=_number(libvirt_version),
                qemu_version=_number(qemu_version),
            )
        return fixture


def _number(version):
    return version and versionutils.convert_version_to_int(version)
