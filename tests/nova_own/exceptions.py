# SPDX-License-Identifier: Apache-2.0

"""Nova's tests that fail with our driver, and why they may."""

_WINDOWS = (
    'nova.tests.unit.virt.libvirt.test_driver.LibvirtConnTestCase.'
    'test_get_guest_config_windows_hyperv_all_'
)
_NO_KVM = (
    "asserts Nova's list for virt_type=qemu, with which no guest starts on a "
    'QEMU that knows it: ours leaves it out'
)

#: By the test's name; what Nova's own Windows list has to do with it.
EXCEPTIONS = {
    f'{_WINDOWS}hide_flv': _NO_KVM,
    f'{_WINDOWS}hide_flv_img': _NO_KVM,
    f'{_WINDOWS}hide_flv_old': _NO_KVM,
    f'{_WINDOWS}hide_img': (
        "asserts vendor_id of Nova's list for an image property that only "
        'ImageMeta has: ours reads it where nova-api puts it, in the '
        "instance's system_metadata"
    ),
}
