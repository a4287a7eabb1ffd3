# SPDX-License-Identifier: Apache-2.0

"""Hosts for tests: the recorded and the composed ones."""

import dataclasses

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.host import kvm
from tests.unit import base

DOCUMENTS = base.DATA / 'domaincaps'

EAX, EBX = model.Register.EAX, model.Register.EBX
ECX, EDX = model.Register.ECX, model.Register.EDX

#: Recorded in the lab, Linux 6.1, kvm_amd nested=1 avic=N: the leaves that
#: KVM_GET_SUPPORTED_HV_CPUID answered with, as (eax, ebx, ecx, edx).
LAB_ANSWER = {
    0x40000000: (0x40000082, 0x756E694C, 0x564B2078, 0x7648204D),
    0x40000001: (0x31237648, 0x00000000, 0x00000000, 0x00000000),
    0x40000002: (0x00003839, 0x000A0000, 0x00000000, 0x00000000),
    0x40000003: (0x00002AFF, 0x00000830, 0x00000000, 0x00080D12),
    0x40000004: (0x00040E2C, 0x00000FFF, 0x00000000, 0x00000000),
    0x40000005: (0x00000400, 0x00000040, 0x00000000, 0x00000000),
    0x40000080: (0x00000000, 0x756E694C, 0x564B2078, 0x7648204D),
    0x40000081: (0x31235356, 0x00000000, 0x00000000, 0x00000000),
    0x40000082: (0x00000002, 0x00000000, 0x00000000, 0x00000000),
    0x4000000A: (0x00080000, 0x00000001, 0x00000000, 0x00000000),
}

LAB_LEAVES = {
    leaf: dict(zip((EAX, EBX, ECX, EDX), registers, strict=True))
    for leaf, registers in LAB_ANSWER.items()
}

LAB_KERNEL = kvm.KernelFacts(
    hyperv=True,
    time=True,
    leaves=LAB_LEAVES,
    vendor=model.Vendor.AMD,
    nested=True,
    apic=False,
)

#: Recorded on a machine whose KVM has no Hyper-V emulation.
MACHINE_KERNEL = kvm.KernelFacts(hyperv=False, time=False)

#: The releases that the name of each document tells.
RELEASES = {
    'amd-libvirt9.0-qemu7.2-lab-pc': ((9, 0, 0), (7, 2, 22)),
    'amd-libvirt9.0-qemu7.2-lab-q35': ((9, 0, 0), (7, 2, 22)),
    'amd-libvirt9.0-qemu7.2-lab-q35-tcg': ((9, 0, 0), (7, 2, 22)),
    'amd-libvirt9.0-qemu7.2-machine-pc': ((9, 0, 0), (7, 2, 22)),
    'amd-libvirt9.0-qemu7.2-machine-q35': ((9, 0, 0), (7, 2, 22)),
    'amd-libvirt12.8-qemu11.1-lab-pc': ((12, 8, 0), (11, 1, 3)),
    'intel-libvirt8.0-qemu6.2-composed': ((8, 0, 0), (6, 2, 0)),
    'intel-libvirt9.0-qemu6.1-composed': ((9, 0, 0), (6, 1, 0)),
    'intel-libvirt12.4-qemu10.1-composed': ((12, 4, 0), (10, 1, 0)),
}


def read(name):
    """Return the bytes of a document."""
    return (DOCUMENTS / f'{name}.xml').read_bytes()


def sources(name=None, kernel=None, **changes):
    """Return what the witnesses of a host say.

    :param name: a document; None for a host without one.
    :param kernel: the kernel's facts; None for those of nobody.
    :param changes: what shall be different.
    """
    facts = capabilities.Sources(
        virt_type='kvm', arch='x86_64', kernel=kernel or kvm.KernelFacts()
    )
    if name is not None:
        libvirt, qemu = RELEASES[name]
        facts = dataclasses.replace(
            facts,
            libvirt=libvirt,
            qemu=qemu,
            domcaps=domaincaps.parse(read(name)),
        )
    return dataclasses.replace(facts, **changes)


def listing(*names, **changes):
    """Return what a document says that lists these names."""
    return domaincaps.DomainCapabilities(
        virt_type='kvm', supported=True, features=frozenset(names), **changes
    )


def kernel_facts(vendor=model.Vendor.INTEL, *, without=(), **changes):
    """Return the facts of a kernel that supports all of Hyper-V.

    :param without: the names whose bits it does not support.
    """
    leaves = {}
    for entry in enlightenments.ENLIGHTENMENTS.values():
        for each in entry.cpuid:
            registers = leaves.setdefault(each.leaf, {})
            if entry.name not in without:
                registers.setdefault(each.register, 0)
                registers[each.register] |= each.bits
    facts = kvm.KernelFacts(
        hyperv=True,
        time=True,
        leaves=leaves,
        vendor=vendor,
        nested=True,
        apic=True,
    )
    return dataclasses.replace(facts, **changes)


def offered(facts):
    """Return the names that a host of these witnesses offers."""
    features = evaluation.evaluate(facts).features
    return {
        name for name, capability in features.items() if capability.offered
    }


class OfferTestCase(base.TestCase):
    """Looks at what is concluded about one name."""

    def check_capability(self, facts, name, offered, source, evidence):
        self.assertEqual(
            capabilities.Capability(
                name=name, offered=offered, source=source, evidence=evidence
            ),
            evaluation.evaluate(facts).features[name],
        )
