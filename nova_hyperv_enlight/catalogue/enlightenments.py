# SPDX-License-Identifier: Apache-2.0

"""Every enlightenment that libvirt knows: the one list of this package.

Append-only. Flavors, images and recorded sets hold these names, so an entry
is never renamed, reordered or removed; a mistake is kept and explained. The
order is libvirt's own (``enum virDomainHyperv``), then the sub-elements,
then the timer.
"""

import types

from nova_hyperv_enlight.catalogue import model

_EAX = model.Register.EAX
_EDX = model.Register.EDX
_FORMATDOMAIN = 'https://libvirt.org/formatdomain.html#hypervisor-features'
_TIMERS = 'https://libvirt.org/formatdomain.html#time-keeping'
_QEMU = 'https://www.qemu.org/docs/master/system/i386/hyperv.html'
_QEMU_TABLE = 'QEMU target/i386/kvm/kvm.c, kvm_hyperv_properties'
_KVM = 'Linux arch/x86/kvm/hyperv.c, kvm_get_hv_cpuid'
_SAFE = 'Safe.'
_SAME = 'The destination must offer it too.'


def _features(
    register: model.Register, bits: int, section: str
) -> model.CpuidBits:
    return model.CpuidBits(
        leaf=0x40000003, register=register, bits=bits, section=section
    )


def _hints(bits: int, section: str) -> model.CpuidBits:
    return model.CpuidBits(
        leaf=0x40000004, register=_EAX, bits=bits, section=section
    )


def _nested(bits: int, section: str) -> model.CpuidBits:
    return model.CpuidBits(
        leaf=0x4000000A, register=_EAX, bits=bits, section=section
    )


_TLFS = 'TLFS, Feature Discovery, leaf '
_PRIVILEGES = _TLFS + '0x40000003: partition privilege mask'
_FEATURES = _TLFS + '0x40000003: hypervisor features'
_RECOMMENDATIONS = _TLFS + '0x40000004: implementation recommendations'
_NESTED = _TLFS + '0x4000000A: nested hypervisor features'

_ENTRIES = (
    model.Enlightenment(
        name='relaxed',
        qemu_flag='hv-relaxed',
        kubevirt='relaxed',
        min_libvirt=(1, 0, 0),
        min_qemu=(2, 0, 0),
        cpuid=(_hints(1 << 5, _RECOMMENDATIONS),),
        summary=(
            'Turns off the watchdog time-outs that end in a blue screen on '
            'a busy host.'
        ),
        cost='watchdogs may end in a blue screen on a busy host',
        severity=model.Severity.BREAKS_GUEST,
        migration=_SAFE,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _QEMU_TABLE),
    ),
    model.Enlightenment(
        name='vapic',
        qemu_flag='hv-vapic',
        kubevirt='vapic',
        min_libvirt=(1, 1, 0),
        min_qemu=(2, 0, 0),
        cpuid=(_features(_EAX, 1 << 4, _PRIVILEGES),),
        summary=(
            'Gives each vCPU an assist page, so that most interrupts end '
            'without an exit to the host.'
        ),
        cost='most interrupts end with an exit to the host',
        migration=_SAFE,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _QEMU_TABLE),
    ),
    model.Enlightenment(
        name='spinlocks',
        qemu_flag='hv-spinlocks',
        kubevirt='spinlocks',
        min_libvirt=(1, 1, 0),
        min_qemu=(2, 0, 0),
        value=model.IntegerValue(
            attribute='retries',
            default='8191',
            allowed='a whole number from 4095 to 4294967295',
            leaf=0x40000004,
            minimum=4095,
            maximum=4294967295,
            # Older ones print greater numbers as negative ones, and refuse
            # their own XML then: the guest is defined and cannot be started,
            # and is lost when libvirt restarts (tried with 9.0; in
            # src/conf/domain_conf.c '%d' became '%u' together with "never
            # notify", 4294967295: libvirt NEWS 11.9.0).
            newer=(2147483648, (11, 9, 0)),
            ref=_FORMATDOMAIN,
        ),
        summary=(
            'Windows tells the host after that many failed spins on a '
            'lock, so that another vCPU can run. Matters where vCPUs are '
            'overcommitted.'
        ),
        cost='vCPUs spin for locks whose holder does not run',
        migration=_SAFE,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _RECOMMENDATIONS),
    ),
    model.Enlightenment(
        name='vpindex',
        qemu_flag='hv-vpindex',
        kubevirt='vpindex',
        min_libvirt=(1, 3, 3),
        min_qemu=(2, 5, 0),
        cpuid=(_features(_EAX, 1 << 6, _PRIVILEGES),),
        summary=(
            'Lets a vCPU read its own index. synic, tlbflush and ipi '
            'require it.'
        ),
        cost='synic, tlbflush and ipi cannot be used',
        migration=_SAFE,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _QEMU_TABLE),
    ),
    model.Enlightenment(
        name='runtime',
        qemu_flag='hv-runtime',
        kubevirt='runtime',
        min_libvirt=(1, 3, 3),
        min_qemu=(2, 5, 0),
        cpuid=(_features(_EAX, 1 << 0, _PRIVILEGES),),
        summary=(
            'Shows the guest how long each vCPU really ran, so that it '
            'knows about stolen time.'
        ),
        cost='the guest does not know of stolen time',
        severity=model.Severity.NO_EFFECT,
        migration=_SAFE,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _QEMU_TABLE),
    ),
    model.Enlightenment(
        name='synic',
        qemu_flag='hv-synic',
        kubevirt='synic',
        min_libvirt=(1, 3, 3),
        min_qemu=(2, 6, 0),
        requires=('vpindex',),
        cpuid=(_features(_EAX, 1 << 2, _PRIVILEGES),),
        summary='The synthetic interrupt controller, which stimer requires.',
        cost='no synthetic timers',
        migration=_SAFE,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _QEMU_TABLE),
    ),
    model.Enlightenment(
        name='stimer',
        qemu_flag='hv-stimer',
        kubevirt='synictimer',
        min_libvirt=(1, 3, 3),
        min_qemu=(2, 6, 0),
        requires=('synic', 'hypervclock'),
        cpuid=(_features(_EAX, 1 << 3, _PRIVILEGES),),
        summary=(
            'Four synthetic timers for each vCPU. Without them Windows '
            'ticks on the RTC or the HPET and an idle guest burns host CPU.'
        ),
        cost='an idle guest takes host CPU',
        migration=_SAFE,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _QEMU_TABLE),
    ),
    model.Enlightenment(
        name='reset',
        qemu_flag='hv-reset',
        kubevirt='reset',
        min_libvirt=(1, 3, 3),
        min_qemu=(2, 5, 0),
        cpuid=(_features(_EAX, 1 << 7, _PRIVILEGES),),
        summary='Lets the guest reset itself by an MSR. Of little use.',
        cost='no practical effect is known',
        severity=model.Severity.NO_EFFECT,
        migration=_SAFE,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _QEMU_TABLE),
    ),
    model.Enlightenment(
        name='vendor_id',
        qemu_flag='hv-vendor-id',
        kubevirt='vendorid',
        min_libvirt=(1, 3, 3),
        min_qemu=(2, 5, 0),
        value=model.TextValue(
            attribute='value',
            # The text that Nova shows for hide_hypervisor_id:
            # nova/virt/libvirt/config.py, SPOOFED_VENDOR_ID.
            default='1234567890ab',
            allowed='1 to 12 printable ASCII characters without a comma',
            leaf=0x40000000,
            max_length=12,
            ref=_FORMATDOMAIN,
        ),
        summary=(
            'Replaces the hypervisor vendor that the guest reads, for '
            'drivers that refuse to run when they see Hyper-V.'
        ),
        cost='drivers that refuse to run on Hyper-V refuse',
        severity=model.Severity.BREAKS_GUEST,
        migration=_SAFE,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU),
    ),
    model.Enlightenment(
        name='frequencies',
        qemu_flag='hv-frequencies',
        kubevirt='frequencies',
        min_libvirt=(4, 7, 0),
        min_qemu=(2, 12, 0),
        cpuid=(
            _features(_EAX, 1 << 11, _PRIVILEGES),
            _features(_EDX, 1 << 8, _FEATURES),
        ),
        summary=(
            'Windows reads the TSC and APIC frequencies instead of '
            'measuring them.'
        ),
        cost='Windows measures the TSC and APIC frequencies',
        severity=model.Severity.NO_EFFECT,
        migration=_SAFE,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _QEMU_TABLE),
    ),
    model.Enlightenment(
        name='reenlightenment',
        qemu_flag='hv-reenlightenment',
        kubevirt='reenlightenment',
        min_libvirt=(4, 7, 0),
        min_qemu=(3, 0, 0),
        pins_tsc=True,
        cpuid=(_features(_EAX, 1 << 13, _PRIVILEGES),),
        summary=(
            'Tells a Hyper-V that runs inside the guest when the TSC '
            'frequency changed.'
        ),
        cost='a Hyper-V inside is not told of another TSC frequency',
        migration=(
            'Fails at the destination once the guest uses it, unless the '
            'TSC frequency is pinned (Nova bug 2046549).'
        ),
        since='1.0.0',
        ref=(
            _FORMATDOMAIN,
            _QEMU,
            'QEMU target/i386/machine.c, hyperv_reenlightenment_post_load',
            'https://bugs.launchpad.net/nova/+bug/2046549',
        ),
    ),
    model.Enlightenment(
        name='tlbflush',
        qemu_flag='hv-tlbflush',
        kubevirt='tlbflush',
        min_libvirt=(4, 7, 0),
        min_qemu=(3, 0, 0),
        requires=('vpindex',),
        cpuid=(_hints(1 << 2 | 1 << 11, _RECOMMENDATIONS),),
        summary=(
            'Flushes the TLBs of other vCPUs by one hypercall; a vCPU that '
            'does not run is not woken for it.'
        ),
        cost='vCPUs that do not run are woken to flush their TLBs',
        migration=_SAFE,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _QEMU_TABLE),
    ),
    model.Enlightenment(
        name='ipi',
        qemu_flag='hv-ipi',
        kubevirt='ipi',
        min_libvirt=(4, 10, 0),
        min_qemu=(3, 1, 0),
        requires=('vpindex',),
        cpuid=(_hints(1 << 10 | 1 << 11, _RECOMMENDATIONS),),
        summary='Sends an interrupt to many vCPUs by one hypercall.',
        cost='more exits for an interrupt to many vCPUs',
        migration=_SAFE,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _QEMU_TABLE),
    ),
    model.Enlightenment(
        name='evmcs',
        qemu_flag='hv-evmcs',
        kubevirt='evmcs',
        min_libvirt=(4, 10, 0),
        min_qemu=(3, 1, 0),
        requires=('vapic',),
        vendors=(model.Vendor.INTEL,),
        hardware=((model.Vendor.INTEL, model.Hardware.NESTED),),
        cpuid=(_hints(1 << 14, _RECOMMENDATIONS),),
        summary=(
            'A Hyper-V inside the guest (also VBS and WSL 2) keeps its '
            'VMCS in memory: far fewer exits. Intel only.'
        ),
        cost='far more exits for a Hyper-V inside the guest',
        migration='The destination must be an Intel host with nesting on.',
        since='1.0.0',
        ref=(
            _FORMATDOMAIN,
            _QEMU,
            _QEMU_TABLE,
            'https://bugs.launchpad.net/nova/+bug/2009280',
        ),
    ),
    model.Enlightenment(
        name='avic',
        qemu_flag='hv-avic',
        min_libvirt=(8, 10, 0),
        min_qemu=(6, 2, 0),
        # QEMU takes it alone, but it only undoes what synic does.
        requires=('synic',),
        # KVM reports the bit on every host; without the hardware it has a
        # "negative effect" (QEMU docs/system/i386/hyperv.rst).
        hardware=(
            (model.Vendor.INTEL, model.Hardware.APIC),
            (model.Vendor.AMD, model.Hardware.APIC),
        ),
        reported_always=True,
        # It only advises the guest, and QEMU has no state of it: Windows goes
        # on without AutoEOI (QEMU target/i386/kvm/kvm.c,
        # HV_DEPRECATING_AEOI_RECOMMENDED).
        benefit_only=True,
        # KVM does not use AVIC while it reinjects lost ticks of the PIT: Linux
        # arch/x86/kvm/svm/svm.h, AVIC_REQUIRED_APICV_INHIBITS has PIT_REINJ;
        # that of vmx has not.
        pit_inhibits=(model.Vendor.AMD,),
        cpuid=(_hints(1 << 9, _RECOMMENDATIONS),),
        summary=(
            'Asks Windows not to use AutoEOI, so that synic does not keep '
            'the processor from virtualizing interrupts.'
        ),
        cost='synic keeps the processor from virtualizing interrupts',
        migration=(
            'Safe; the benefit is lost on a destination without APICv or AVIC.'
        ),
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _KVM),
    ),
    model.Enlightenment(
        name='emsr_bitmap',
        qemu_flag='hv-emsr-bitmap',
        min_libvirt=(10, 7, 0),
        min_qemu=(7, 1, 0),
        requires_on=((model.Vendor.INTEL, ('evmcs',)),),
        hardware=(
            (model.Vendor.INTEL, model.Hardware.NESTED),
            (model.Vendor.AMD, model.Hardware.NESTED),
        ),
        reported_always=True,
        cpuid=(_nested(1 << 19, _NESTED),),
        summary=(
            'A Hyper-V inside the guest says when its MSR bitmap changed, '
            'so that KVM need not read it on every entry.'
        ),
        cost="KVM reads a nested guest's MSR bitmap at every entry",
        migration=_SAME,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _KVM),
    ),
    model.Enlightenment(
        name='xmm_input',
        qemu_flag='hv-xmm-input',
        min_libvirt=(10, 7, 0),
        min_qemu=(7, 1, 0),
        cpuid=(_features(_EDX, 1 << 4, _FEATURES),),
        summary='Passes the arguments of hypercalls in XMM registers.',
        cost='hypercalls pass their arguments in memory',
        migration=_SAME,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _QEMU_TABLE),
    ),
    model.Enlightenment(
        name='stimer.direct',
        qemu_flag='hv-stimer-direct',
        kubevirt='synictimer.direct',
        min_libvirt=(5, 7, 0),
        min_qemu=(4, 1, 0),
        requires=('stimer',),
        cpuid=(_features(_EDX, 1 << 19, _FEATURES),),
        summary=(
            'Synthetic timers expire as plain interrupts, not as synic '
            'messages; the only ones that a nested Hyper-V can use.'
        ),
        cost='timers expire as messages, which a nested Hyper-V cannot use',
        migration=_SAFE,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _QEMU_TABLE),
    ),
    model.Enlightenment(
        name='tlbflush.direct',
        qemu_flag='hv-tlbflush-direct',
        kubevirt='tlbflush.direct',
        min_libvirt=(11, 0, 0),
        min_qemu=(7, 1, 0),
        # QEMU wants vapic only; tlbflush is the XML element around it.
        requires=('vapic', 'tlbflush'),
        requires_on=((model.Vendor.INTEL, ('evmcs',)),),
        hardware=(
            (model.Vendor.INTEL, model.Hardware.NESTED),
            (model.Vendor.AMD, model.Hardware.NESTED),
        ),
        reported_always=True,
        cpuid=(_nested(1 << 17, _NESTED),),
        summary=(
            'KVM itself serves the TLB flushes of guests of a Hyper-V '
            'inside the guest.'
        ),
        cost='TLB flushes of nested guests go through the Hyper-V inside',
        migration=_SAME,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _QEMU_TABLE),
    ),
    model.Enlightenment(
        name='tlbflush.extended',
        qemu_flag='hv-tlbflush-ext',
        kubevirt='tlbflush.extended',
        min_libvirt=(11, 0, 0),
        min_qemu=(7, 1, 0),
        requires=('tlbflush',),
        cpuid=(_features(_EDX, 1 << 14, _FEATURES),),
        summary='Flushes ranges of addresses, not whole TLBs.',
        cost='whole TLBs are flushed, not ranges',
        migration=_SAME,
        since='1.0.0',
        ref=(_FORMATDOMAIN, _QEMU, _QEMU_TABLE),
    ),
    model.Enlightenment(
        name='hypervclock',
        qemu_flag='hv-time',
        kubevirt='hyperv',
        placement=model.Placement.TIMER,
        min_libvirt=(1, 2, 2),
        min_qemu=(2, 0, 0),
        cpuid=(_features(_EAX, 1 << 1 | 1 << 9, _PRIVILEGES),),
        summary=(
            'A reference counter and a TSC page: Windows reads the clock '
            'without an exit to the host.'
        ),
        cost='an exit to the host whenever Windows reads the clock',
        migration=_SAFE,
        since='1.0.0',
        ref=(_TIMERS, _QEMU, _QEMU_TABLE),
    ),
)

#: Every enlightenment by its name, in the catalogue's order.
ENLIGHTENMENTS = types.MappingProxyType(
    {entry.name: entry for entry in _ENTRIES}
)

#: The enlightenments that carry a value, by the value's name.
VALUES = types.MappingProxyType(
    {entry.value_name: entry for entry in _ENTRIES if entry.value_name}
)


def default_value(name: str) -> str:
    """Return the value that an enlightenment carries unless told otherwise.

    :raises KeyError: there is no such enlightenment, or it has no value.
    """
    value = ENLIGHTENMENTS[name].value
    if value is None:
        raise KeyError(name)
    return value.default
