# SPDX-License-Identifier: Apache-2.0
"""A whole Nova on its fake libvirt, with recorded capability documents."""

import collections.abc

import fixtures
from lxml import etree
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.libvirt import base
from oslo_utils import versionutils

from tests.fixtures import nova
from tests.fixtures import server

#: What Nova 31 to 34 want at least, and older ones do with.
LIBVIRT, QEMU = '8.0.0', '6.2.0'
_CONNECTION = 'nova.tests.fixtures.libvirt.Connection'
# What Nova's fixture says; the class itself is connection enough for that.
_get_capabilities = fakelibvirt.Connection.getDomainCapabilities


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
    found = etree.fromstring(
        _get_capabilities(
            fakelibvirt.Connection, None, 'x86_64', machine, 'kvm', 0
        )
    )
    features = found.find('features')
    features.clear()
    hyperv = etree.SubElement(features, 'hyperv', supported='yes')
    enum = etree.SubElement(hyperv, 'enum', name='features')
    for name in names:
        etree.SubElement(enum, 'value').text = name
    return etree.tostring(found, encoding='unicode')


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
        libvirt_version=LIBVIRT,
        qemu_version=QEMU,
        hostname='compute1',
    ):
        """Start nova-compute on a host of these versions.

        :param capabilities: see ``DomainCapabilities``
        :param libvirt_version: such as '9.0.0'
        :param qemu_version: such as '7.2.0'
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
    return versionutils.convert_version_to_int(version)
