# SPDX-License-Identifier: Apache-2.0
"""Tests of what comes before a boot."""

import concurrent.futures
import dataclasses
import pathlib
import platform

import fixtures
import testtools

from tests.lab import base
from tests.lab import exception
from tests.lab import image
from tests.lab import lab
from tests.lab import machine
from tests.lab import packages
from tests.lab import spec as lab_spec


class ImageTestCase(base.LabTestCase):
    """What goes wrong before a boot."""

    def test_prepare_raises_for_an_unknown_package(self) -> None:
        spec = lab_spec.LabSpec(kernel_package='linux-image-no-such')

        error = self.assertRaises(
            exception.PackageMissing, lab.Lab(spec).prepare
        )

        self.assertIn("'linux-image-no-such'", str(error))
        self.assertIn('apt-get update', str(error))

    def test_prepare_raises_for_a_failing_download(self) -> None:
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        # apt knows the package, but not the way to it.
        config = folder / 'apt.conf'
        config.write_text('Acquire::http::Proxy "http://127.0.0.1:9/";\n')
        self.useFixture(
            fixtures.EnvironmentVariable('APT_CONFIG', str(config))
        )

        error = self.assertRaises(
            exception.PackageMissing, lab.Lab(cache=folder).prepare
        )

        self.assertIn('check the network', str(error))
        self.assertEqual([], list(folder.glob('images/*')))

    def test_prepare_raises_for_a_suite_that_the_mirror_lacks(self) -> None:
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        spec = lab_spec.LabSpec(host='nosuchsuite')

        error = self.assertRaises(
            exception.PackageMissing, lab.Lab(spec, folder).prepare
        )

        self.assertIn("'nosuchsuite/main'", str(error))
        self.assertIn('may not have this suite', str(error))
        self.assertEqual([], list(folder.glob('hosts/*-*')))

    def test_prepare_raises_without_apt(self) -> None:
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        (folder / machine.QEMU).touch(mode=0o755)
        self.useFixture(fixtures.EnvironmentVariable('PATH', str(folder)))

        error = self.assertRaises(exception.ToolMissing, lab.Lab().prepare)

        self.assertIn("Debian package 'apt'", str(error))

    def test_build_raises_for_a_package_without_a_kernel(self) -> None:
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

        self.assertRaises(
            exception.ImageError, image.build, 'busybox-static', folder
        )

        self.assertEqual([], list(folder.glob('images/*')))

    def test_build_by_two_at_once_makes_one_image(self) -> None:
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        name = lab_spec.LabSpec().kernel_package
        lab.Lab().prepare()
        # What was fetched before need not be fetched again.
        kept = packages.cache_folder() / 'packages'
        (folder / 'packages').symlink_to(kept)
        (folder / 'images/unfinished-killed').mkdir(parents=True)

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            built = list(pool.map(image.build, [name] * 2, [folder] * 2))

        self.assertEqual(built[0], built[1])
        self.assertEqual(
            [built[0].kernel.parent], list(folder.glob('images/*'))
        )
        # A few MiB, unpacked anew at each boot.
        self.assertLess(built[0].initramfs.stat().st_size, 8 << 20)


class SpecTestCase(testtools.TestCase):
    """The description of a machine; needs no lab."""

    def test_params_of_takes_those_of_the_module(self) -> None:
        spec = lab_spec.LabSpec(
            module_params=('kvm_amd.avic=0', 'kvm.halt_poll_ns=0')
        )

        self.assertEqual('nested=1 avic=0', spec.params_of('kvm_amd'))
        self.assertEqual('halt_poll_ns=0', spec.params_of('kvm'))

    def test_spec_refuses_what_is_no_parameter(self) -> None:
        for param in ('nested=0', 'kvm_intel.nested=1', 'kvm_amd.a=b c'):
            self.assertRaises(
                exception.InvalidSpec, lab_spec.LabSpec, module_params=(param,)
            )

    def test_spec_refuses_what_is_no_release(self) -> None:
        for host in ('Debian 13', '../sid'):
            self.assertRaises(
                exception.InvalidSpec, lab_spec.LabSpec, host=host
            )

    def test_spec_takes_its_own_release_from_the_machine(self) -> None:
        own = platform.freedesktop_os_release()['VERSION_CODENAME']

        self.assertIsNone(lab_spec.LabSpec().suite)
        self.assertIsNone(lab_spec.LabSpec(host=own).suite)
        self.assertEqual('sid', lab_spec.LabSpec(host='sid').suite)

    def test_spec_is_frozen(self) -> None:
        self.assertRaises(
            dataclasses.FrozenInstanceError,
            setattr,
            lab_spec.LabSpec(),
            'cpus',
            3,
        )
