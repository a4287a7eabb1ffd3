# SPDX-License-Identifier: Apache-2.0
"""The machine's Nova, which the plugin can be installed beside."""

import pathlib
import subprocess
import sys
import sysconfig

from tests.cloud import backing
from tests.cloud import place as cloud_place
from tests.cloud import service
from tests.cloud import settings
from tests.install import environment

STOCK = 'libvirt.LibvirtDriver'
PLUGIN = 'hyperv_enlight.LibvirtDriver'
_PACKAGE = 'nova-hyperv-enlight'
#: The only compute host, this machine.
HOST = 'compute1'


class Site:
    """A virtual environment with Nova, and what nova-compute reads.

    Nova's files are those of the environment that this runs in, where the
    plugin is not.
    """

    def __init__(self, place: cloud_place.Place) -> None:
        self.place = place
        self.path = place.path('site')

    @property
    def python(self) -> pathlib.Path:
        """Its interpreter."""
        return self.path / 'bin' / 'python'

    @property
    def _instances(self) -> pathlib.Path:
        return self.place.path('state', 'instances')

    def program(self, name: str) -> list[str | pathlib.Path]:
        """Return how one of Nova's programs is called in it."""
        return [self.python, pathlib.Path(sys.prefix, 'bin', name)]

    def make(self) -> None:
        """Make it, and build the plugin's wheel."""
        service.run(
            self.place,
            'site',
            [sys.executable, '-m', 'venv', '--without-pip', self.path],
        )
        here, there = (
            pathlib.Path(sysconfig.get_path('purelib', vars={'base': base}))
            for base in (sys.prefix, str(self.path))
        )
        (there / 'nova.pth').write_text(f'{here}\n')
        self._instances.mkdir()
        source = self.place.path('private', 'source')
        source.mkdir()
        environment.copy_sources(source)
        self._pip(
            *('wheel', '--no-deps', '--no-build-isolation'),
            *('--wheel-dir', self.place.path('wheels'), source),
            PBR_VERSION=environment.VERSION,
        )

    def install(self) -> None:
        """Install the plugin, as the README says."""
        (wheel,) = self.place.path('wheels').iterdir()
        self._pip('install', '--no-deps', '--no-index', wheel)

    def uninstall(self) -> None:
        """Remove the plugin."""
        self._pip('uninstall', '--yes', _PACKAGE)

    def is_installed(self) -> bool:
        """Return whether the plugin is there."""
        script = f'import importlib.metadata as m; m.version({_PACKAGE!r})'
        done = subprocess.run(
            [self.python, '-c', script], capture_output=True, cwd='/'
        )
        return done.returncode == 0

    def configure(self, driver: str = PLUGIN, **options: object) -> None:
        """Write what nova-compute reads when it starts.

        :param options: those of [hyperv_enlight].
        """
        settings.write(
            settings.path(self.place, 'nova-compute'),
            {
                'DEFAULT': {
                    'compute_driver': driver,
                    'host': HOST,
                    'instances_path': self._instances,
                    'reserved_host_memory_mb': 0,
                },
                'hyperv_enlight': options,
                'libvirt': {
                    'connection_uri': backing.libvirt_uri(self.place),
                    # host-model dies on some nested hosts, where QEMU fails
                    # to set an MSR that KVM offers.
                    'cpu_mode': 'none',
                    'virt_type': 'kvm',
                },
                # Root needs no sudo.
                'nova_sys_admin': {
                    'helper_command': ' '.join(
                        map(str, self.program('privsep-helper'))
                    )
                },
            },
        )

    def _pip(self, *arguments: str | pathlib.Path, **variables: str) -> None:
        service.run(
            self.place,
            'pip',
            [
                *(sys.executable, '-m', 'pip', '--python', self.python),
                *('--disable-pip-version-check', *arguments),
            ],
            **variables,
        )
