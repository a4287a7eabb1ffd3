# SPDX-License-Identifier: Apache-2.0

"""What the program explains is what the driver does."""

import io
import json
import logging

import ddt
import fixtures
from nova import exception as nova_exception

from nova_hyperv_enlight.cmd import main
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.virt import adapter
from tests.functional import guest

WINDOWS = {'os_type': 'windows'}

DOCUMENTS = (
    ('intel-libvirt12.4-qemu10.1-composed', (12, 4, 0), (10, 1, 0)),
    ('amd-libvirt12.8-qemu11.1-lab-pc', (12, 8, 0), (11, 1, 3)),
    ('intel-libvirt8.0-qemu6.2-composed', (8, 0, 0), (6, 2, 0)),
    ('intel-libvirt9.0-qemu6.1-composed', (9, 0, 0), (6, 1, 0)),
    ('amd-libvirt9.0-qemu7.2-lab-pc', (9, 0, 0), (7, 2, 0)),
    ('amd-libvirt9.0-qemu7.2-machine-pc', (9, 0, 0), (7, 2, 0)),
)
# Image properties, extra specs and options.
CASES = (
    ({}, {}, {}),
    ({}, {'hyperv_enlight:profile': 'minimal'}, {}),
    ({}, {'hyperv_enlight:profile': 'nested'}, {}),
    ({'hyperv_enlight_profile': 'performance'}, {}, {}),
    ({'hyperv_enlight_profile': 'passthrough'}, {}, {}),
    ({}, {}, {'profile': 'none', 'force_on': ['tlbflush', 'runtime']}),
    ({}, {}, {'force_off': ['synic']}),
    ({'hyperv_enlight_synic': 'off'}, {'hyperv_enlight:stimer': 'on'}, {}),
    ({'hyperv_enlight_ipi': 'off'}, {'hide_hypervisor_id': 'true'}, {}),
    ({}, {'hyperv_enlight:evmcs': 'on'}, {}),
    ({}, {'hyperv_enlight:spinlocks.retries': '4294967295'}, {}),
    ({'os_distro': 'win7', 'hw_firmware_type': 'uefi'}, {}, {}),
    ({'os_distro': 'winxp'}, {}, {}),
    ({'os_distro': 'win2k8'}, {}, {}),
    ({'os_distro': 'win11', 'os_version': '11'}, {}, {}),
    ({'os_type': 'linux'}, {}, {}),
    ({}, {}, {'enabled': False}),
    ({}, {'hyperv_enlight:stimr': 'on'}, {}),
)


def written(option):
    """Return an option as an operator writes it."""
    name, value = option
    text = ','.join(value) if isinstance(value, list) else str(value)
    return f'{name}={text}'


@ddt.ddt
class ExplainTestCase(guest.GuestTestCase):
    def explain(self, arguments):
        """Return the names that are on, None where it is refused."""
        out, err = io.StringIO(), io.StringIO()
        root = logging.getLogger()
        handlers = list(root.handlers)
        try:
            with (
                fixtures.MonkeyPatch('sys.stdout', out),
                fixtures.MonkeyPatch('sys.stderr', err),
            ):
                code = main.main(['explain', '-f', 'json', *arguments])
        finally:
            root.handlers = handlers
        if code == 2:
            return None, err.getvalue().strip()
        self.assertEqual(0, code, err.getvalue())
        rows = json.loads(out.getvalue())
        if rows[0]['state'] == 'unset':
            return 'left alone', None
        on = {row['name'] for row in rows if row['state'] == 'on'}
        return on, None

    def drive(self, image, specs):
        """Do the same by the driver."""
        try:
            domain = self.domain({**WINDOWS, **image}, specs)
        except nova_exception.InvalidInput as err:
            return None, err.kwargs['reason']
        except adapter.HostCannotDeliver as err:
            # The fault leaves out what the host is like; the program's text
            # and the log do not.
            self.assertIsInstance(
                err.__cause__, exception.HostCannotDeliver, err
            )
            return None, str(err.__cause__)
        return set(guest.switched_on(domain)), None

    @ddt.data(*DOCUMENTS)
    @ddt.unpack
    def test_explain_equals_the_driver(self, name, libvirt, qemu):
        # The program does not know the kernel of a saved document's host.
        self.start_host(
            guest.document(name),
            libvirt=libvirt,
            qemu=qemu,
            kernel=guest.SILENT,
        )
        dotted = ['.'.join(map(str, version)) for version in (libvirt, qemu)]
        host = [
            f'--domcaps={guest.DOCUMENTS / name}.xml',
            f'--libvirt-version={dotted[0]}',
            f'--qemu-version={dotted[1]}',
        ]
        for image, specs, options in CASES:
            explained = self.explain(
                host
                + [f'--image={key}={value}' for key, value in image.items()]
                + [f'--spec={key}={value}' for key, value in specs.items()]
                + [
                    f'--option={option}'
                    for option in map(written, options.items())
                ]
            )
            with Options(options):
                driven = self.drive(image, specs)
                if explained[0] == 'left alone':
                    driven = self.left_alone(image, specs)
            self.assertEqual(explained, driven, (image, specs, options))

    def left_alone(self, image, specs):
        arguments = ({**WINDOWS, **image}, specs)
        ours = self.xml(guest.nova.PLUGIN_DRIVER, *arguments)
        stock = self.xml(guest.nova.STOCK_DRIVER, *arguments)
        return ('left alone' if ours == stock else 'changed'), None


class Options(fixtures.Fixture):
    """Options of nova.conf, for a while."""

    def __init__(self, options):
        super().__init__()
        self._options = options

    def _setUp(self):
        guest.nova.register_plugin_options(guest.conf.CONF)
        for name, value in self._options.items():
            guest.conf.CONF.set_override(name, value, group='hyperv_enlight')
            self.addCleanup(
                guest.conf.CONF.clear_override, name, group='hyperv_enlight'
            )
