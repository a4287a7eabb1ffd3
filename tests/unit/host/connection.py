# SPDX-License-Identifier: Apache-2.0

"""A connection to libvirt for tests."""

from tests.unit.host import samples

DOCUMENT = 'amd-libvirt9.0-qemu7.2-lab-q35'
CAPABILITIES = (
    "<capabilities><host><cpu><counter name='tsc' frequency='2794748000'/>"
    '</cpu></host></capabilities>'
)


class LibvirtError(Exception):
    """As libvirt.libvirtError, which need not be installed."""


class Connection:
    """A connection that counts its calls.

    :ivar calls: each call with its arguments, oldest first.
    """

    def __init__(self, **answers):
        self.answers = {
            'getDomainCapabilities': samples.read(DOCUMENT).decode(),
            'getLibVersion': 9000000,
            'getVersion': 7002022,
            'getCapabilities': CAPABILITIES,
            **answers,
        }
        self.calls = []

    def _answer(self, name, *args):
        self.calls.append((name, *args))
        answer = self.answers[name]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def getDomainCapabilities(
        self, emulatorbin, arch, machine, virttype, flags=0
    ):
        return self._answer(
            'getDomainCapabilities',
            emulatorbin,
            arch,
            machine,
            virttype,
            flags,
        )

    def getLibVersion(self):
        return self._answer('getLibVersion')

    def getVersion(self):
        return self._answer('getVersion')

    def getCapabilities(self):
        return self._answer('getCapabilities')
