# SPDX-License-Identifier: Apache-2.0

"""What libvirt, QEMU and KVM say, copied once more: the tests' own copy."""

from nova_hyperv_enlight.catalogue import model

# Name, QEMU flag, first libvirt, first QEMU: libvirt's formatdomain, QEMU's
# docs/system/i386/hyperv.rst.
VERSIONS = (
    ('relaxed', 'hv-relaxed', '1.0.0', '2.0.0'),
    ('vapic', 'hv-vapic', '1.1.0', '2.0.0'),
    ('spinlocks', 'hv-spinlocks', '1.1.0', '2.0.0'),
    ('vpindex', 'hv-vpindex', '1.3.3', '2.5.0'),
    ('runtime', 'hv-runtime', '1.3.3', '2.5.0'),
    ('synic', 'hv-synic', '1.3.3', '2.6.0'),
    ('stimer', 'hv-stimer', '1.3.3', '2.6.0'),
    ('stimer.direct', 'hv-stimer-direct', '5.7.0', '4.1.0'),
    ('reset', 'hv-reset', '1.3.3', '2.5.0'),
    ('vendor_id', 'hv-vendor-id', '1.3.3', '2.5.0'),
    ('frequencies', 'hv-frequencies', '4.7.0', '2.12.0'),
    ('reenlightenment', 'hv-reenlightenment', '4.7.0', '3.0.0'),
    ('tlbflush', 'hv-tlbflush', '4.7.0', '3.0.0'),
    ('tlbflush.direct', 'hv-tlbflush-direct', '11.0.0', '7.1.0'),
    ('tlbflush.extended', 'hv-tlbflush-ext', '11.0.0', '7.1.0'),
    ('ipi', 'hv-ipi', '4.10.0', '3.1.0'),
    ('evmcs', 'hv-evmcs', '4.10.0', '3.1.0'),
    ('avic', 'hv-avic', '8.10.0', '6.2.0'),
    ('emsr_bitmap', 'hv-emsr-bitmap', '10.7.0', '7.1.0'),
    ('xmm_input', 'hv-xmm-input', '10.7.0', '7.1.0'),
    ('hypervclock', 'hv-time', '1.2.2', '2.0.0'),
)


def names_of(libvirt: str, qemu: str) -> set[str]:
    """Return the enlightenments that these releases know."""

    def number(text: str) -> tuple[int, ...]:
        return tuple(int(part) for part in text.split('.'))

    return {
        name
        for name, _flag, first_libvirt, first_qemu in VERSIONS
        if number(first_libvirt) <= number(libvirt)
        and number(first_qemu) <= number(qemu)
    }


# What QEMU refuses to start without (kvm_hyperv_properties), and the element
# that a sub-element stands in; avic has no use without synic.
REQUIRES = {
    'synic': {'vpindex'},
    'stimer': {'synic', 'hypervclock'},
    'stimer.direct': {'stimer'},
    'tlbflush': {'vpindex'},
    'tlbflush.extended': {'tlbflush'},
    'tlbflush.direct': {'vapic', 'tlbflush'},
    'ipi': {'vpindex'},
    'evmcs': {'vapic'},
    'avic': {'synic'},
}

# What KubeVirt's API has no name for: FeatureHyperv in its
# staging/src/kubevirt.io/api/core/v1/schema.go.
NOT_IN_KUBEVIRT = {'avic', 'emsr_bitmap', 'xmm_input'}

# Which of them need another one as well on Intel's hosts.
NEEDS_EVMCS_ON_INTEL = {'emsr_bitmap', 'tlbflush.direct'}
# What KVM needs beside itself, by vendor.
HARDWARE = {
    'evmcs': {model.Vendor.INTEL: model.Hardware.NESTED},
    'avic': {
        model.Vendor.INTEL: model.Hardware.APIC,
        model.Vendor.AMD: model.Hardware.APIC,
    },
    'emsr_bitmap': {
        model.Vendor.INTEL: model.Hardware.NESTED,
        model.Vendor.AMD: model.Hardware.NESTED,
    },
    'tlbflush.direct': {
        model.Vendor.INTEL: model.Hardware.NESTED,
        model.Vendor.AMD: model.Hardware.NESTED,
    },
}


def dependents(name: str, vendor: model.Vendor | None = None) -> set[str]:
    """Return the enlightenments that cannot be without another one."""

    def needs(other: str) -> set[str]:
        needed = set(REQUIRES.get(other, ()))
        if vendor is model.Vendor.INTEL and other in NEEDS_EVMCS_ON_INTEL:
            needed.add('evmcs')
        return needed.union(*map(needs, needed))

    return {row[0] for row in VERSIONS if name in needs(row[0])}
