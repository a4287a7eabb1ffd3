# SPDX-License-Identifier: Apache-2.0
"""``guest exits`` on guests that run, whose exits KVM really counts."""

import contextlib
import io
import json

import fixtures

from nova_hyperv_enlight.cmd import main
from tests.real import cases
from tests.real import kvm
from tests.real import test_verify

_DOMAIN = """
<domain type='{virt_type}'>
  <name>{name}</name>
  <metadata>
    <l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
      <l:os id='http://microsoft.com/win/2k22'/>
    </l:libosinfo>
  </metadata>
  <memory unit='MiB'>16</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <disk type='file' device='disk'>
      <source file='{disk}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <serial type='null'/>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>
"""
_SECTORS = 2048
#: Exits a second that no firmware has, and no guest that waits.
_MANY = 3000


class ExitsTest(cases.EmbeddedCase):
    def setUp(self):
        super().setUp()
        self.useFixture(
            fixtures.MonkeyPatch(
                'libvirt.openReadOnly',
                lambda uri: cases.Borrowed(self.driver.connection),
            )
        )
        self.files = self.useFixture(fixtures.TempDir())

    def start(self, name, sector, virt_type='kvm'):
        """Start a guest that runs a boot sector."""
        disk = self.files.join(name)
        with open(disk, 'wb') as stream:
            stream.write(sector.ljust(512 * _SECTORS, b'\0'))
        return self.driver.connection.createXML(
            _DOMAIN.format(name=name, virt_type=virt_type, disk=disk)
        )

    def exits(self, *argv):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main.main(
                [
                    *('guest', 'exits', '--connect', self.driver.uri),
                    *('-f', 'json', *argv),
                ]
            )
        self.assertEqual(0, code, err.getvalue())
        return {row['domain']: row for row in json.loads(out.getvalue())}

    def test_a_guest_that_writes_to_a_port(self):
        """Each byte for the serial port is an exit.

        Which kinds are counted depends on the host's KVM module, so only the
        sum is looked at.
        """
        if kvm.missing():
            self.skipTest(kvm.missing())
        self.start('writes', test_verify.ENDLESS)

        # The firmware takes its time.
        for _ in range(60):
            row = self.exits('--seconds', '1')['writes']
            if row['exits'] > _MANY:
                break

        self.assertEqual('', row['text'])
        self.assertGreater(row['exits'], _MANY)
        kinds = ('halt', 'irq', 'io', 'mmio', 'hypercalls', 'other')
        self.assertAlmostEqual(
            row['exits'], sum(row[kind] for kind in kinds), delta=1
        )
        self.assertEqual('no', row['hypervisor'])

    def test_a_guest_that_is_emulated(self):
        self.start('emulated', test_verify.SILENT, virt_type='qemu')

        row = self.exits('--seconds', '0.1')['emulated']

        self.assertEqual('-', row['exits'])
        self.assertIn('its type is qemu', row['text'])
