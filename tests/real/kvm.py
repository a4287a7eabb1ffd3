# SPDX-License-Identifier: Apache-2.0
"""What the kernel of this machine says, asked without the plugin's help."""

import fcntl
import functools
import os

DEVICE = '/dev/kvm'
# linux/kvm.h
KVM_CHECK_EXTENSION = 0xAE03
# The capability whose lack QEMU reports as
# "kernel doesn't allow setting HyperV VP_INDEX".
KVM_CAP_HYPERV_VP_INDEX = 149


def _check_extension(capability):
    device = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    try:
        return fcntl.ioctl(device, KVM_CHECK_EXTENSION, capability)
    finally:
        os.close(device)


# What a run is meant for: 'hyperv' or 'plain'. The tests expect what the
# kernel says, so a lab that lost its Hyper-V would pass them without it.
EXPECTED = os.environ.get('HYPERV_ENLIGHT_TEST_KVM')


@functools.cache
def missing():
    """Why there is no KVM here, or None."""
    try:
        _check_extension(KVM_CAP_HYPERV_VP_INDEX)
    except OSError as err:
        return str(err)
    return None


@functools.cache
def emulates_hyperv():
    """Whether the KVM of this machine can pass itself off as Hyper-V."""
    return not missing() and _check_extension(KVM_CAP_HYPERV_VP_INDEX) > 0


def unexpected():
    """Why this is not the machine that the run is meant for, or None."""
    found = 'hyperv' if emulates_hyperv() else 'plain'
    if EXPECTED in (None, '', found):
        return None
    return f'the KVM of this machine is {found}, not {EXPECTED}'
