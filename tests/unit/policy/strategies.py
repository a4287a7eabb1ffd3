# SPDX-License-Identifier: Apache-2.0

"""Any toggles, any image, any host: what hypothesis draws cases from."""

import dataclasses
import os
import typing

import hypothesis
from hypothesis import strategies as st

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import windows
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit.host import samples
from tests.unit.policy import cases

#: How many cases all the properties see together: ``quick`` or ``full``.
PROFILE = os.environ.get('TEST_HYPOTHESIS_PROFILE', 'full')

_CASES = {'quick': 1000, 'full': 12000}
_PROPERTIES = 12

for _name, _cases in _CASES.items():
    hypothesis.settings.register_profile(
        _name,
        max_examples=_cases // _PROPERTIES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=tuple(hypothesis.HealthCheck),
    )


def for_any(*drawn):
    """Run a test method for any of these, by the profile's settings."""

    def decorate(method):
        return hypothesis.settings.get_profile(PROFILE)(
            hypothesis.given(*drawn)(method)
        )

    return decorate


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """A guest on a host.

    :ivar force_on: names that the operator turns on, and so on.
    :ivar flavor: the flavor's toggles, ``on`` or ``off`` by name.
    :ivar image: the image's toggles.
    """

    force_on: tuple[str, ...]
    force_off: tuple[str, ...]
    flavor: dict[str, str]
    image: dict[str, str]
    profile: str
    specs: dict[str, str]
    properties: dict[str, str]
    nested: bool | None
    spinlock_retries: str
    host: capabilities.HostCapabilities

    def resolve(self) -> typing.Any:
        specs = {f'hyperv_enlight:{n}': v for n, v in self.flavor.items()}
        properties = {
            f'hyperv_enlight_{n.replace(".", "_")}': v
            for n, v in self.image.items()
        }
        return resolve.resolve(
            settings.Settings(
                profile=self.profile,
                force_on=self.force_on,
                force_off=self.force_off,
                image_overridable=cases.ANYTHING,
                spinlock_retries=self.spinlock_retries,
            ),
            request.from_properties(
                os_type='windows',
                extra_specs=specs | self.specs,
                image_properties=properties | self.properties,
                nested=self.nested,
            ),
            self.host,
        )

    @property
    def explicit(self) -> dict[str, bool]:
        """The strongest demand for each name: design.md, section 4."""
        found = {}
        for name in cases.NAMES:
            if name in self.force_off:
                found[name] = False
            elif name in self.force_on:
                found[name] = True
            elif name in self.flavor:
                found[name] = self.flavor[name] == 'on'
            elif any(
                key.startswith(f'hyperv_enlight:{name}.') for key in self.specs
            ):
                # Who gives a value wants what carries it.
                found[name] = True
            elif name in self.image:
                found[name] = self.image[name] == 'on'
        return found


def _subset(bits):
    return frozenset(
        name for place, name in enumerate(cases.NAMES) if bits >> place & 1
    )


_COUNT = len(cases.NAMES)
# Whole sets often: with names at random hardly anything is ever closed.
_SUBSETS = st.one_of(
    st.just(cases.ALL),
    st.integers(0, 2**_COUNT - 1).map(_subset),
    st.integers(0, _COUNT - 1).map(lambda n: cases.ALL - {cases.NAMES[n]}),
)
_FEW = st.lists(st.sampled_from(cases.NAMES), max_size=2).map(tuple)
_TOGGLES = st.dictionaries(
    st.sampled_from(cases.NAMES), st.sampled_from(('on', 'off')), max_size=3
)
_VENDORS = st.sampled_from((cases.AMD, cases.INTEL, None))
_ANSWERS = st.sampled_from((True, False, None))
_LIBVIRT = st.sampled_from(
    (
        (12, 4, 0),
        (12, 1, 0),
        (11, 9, 0),
        (11, 0, 0),
        (9, 0, 0),
        (8, 0, 0),
        (4, 10, 0),
        None,
    )
)
_QEMU = st.sampled_from(
    ((11, 0, 0), (7, 2, 0), (6, 1, 0), (6, 0, 0), (4, 0, 0), None)
)


def _document(names, defaults, supported, vendor):
    return domaincaps.DomainCapabilities(
        virt_type='kvm',
        machine='pc-q35-7.2',
        supported=supported,
        features=names,
        defaults=tuple((n, n in (defaults or ())) for n in _SUB_ELEMENTS),
        vendor=vendor,
    )


_SUB_ELEMENTS = tuple(name for name in cases.NAMES if '.' in name)
_DOCUMENTS = st.one_of(
    st.just(domaincaps.DomainCapabilities()),
    st.builds(
        _document,
        st.none() | _SUBSETS,
        st.none() | _SUBSETS,
        _ANSWERS,
        _VENDORS,
    ),
)


def _kernel(supported, hyperv, nested, apic, vendor):
    if hyperv is None:
        return kvm.KernelFacts(vendor=vendor, nested=nested, apic=apic)
    if not hyperv:
        return samples.MACHINE_KERNEL
    return samples.kernel_facts(
        vendor, without=cases.ALL - supported, nested=nested, apic=apic
    )


_KERNELS = st.builds(
    _kernel, _SUBSETS, st.sampled_from((True, None, False)),
    _ANSWERS, _ANSWERS, _VENDORS,
)  # fmt: skip
_CONCLUDED = st.builds(
    capabilities.Sources,
    virt_type=st.sampled_from(('kvm', 'kvm', 'kvm', 'qemu')),
    arch=st.just('x86_64'),
    libvirt=_LIBVIRT,
    qemu=_QEMU,
    domcaps=_DOCUMENTS,
    kernel=_KERNELS,
    tsc_frequency=st.sampled_from((2794748000, None)),
).map(evaluation.evaluate)
_GIVEN = st.builds(
    cases.make_host, _SUBSETS, unknown=_FEW, vendor=_VENDORS, libvirt=_LIBVIRT
)
HOSTS = st.one_of(_GIVEN, _CONCLUDED)

_CUSTOM = tuple(
    name
    for name, profile in profiles.PROFILES.items()
    if profile.mode is profiles.Mode.CUSTOM
)
_SPECS = st.sampled_from(
    (
        {},
        {'hw:cpu_policy': 'dedicated'},
        {'hide_hypervisor_id': 'true'},
        {'hyperv_enlight:vendor_id.value': 'KVM Hv'},
        {'hyperv_enlight:spinlocks.retries': '4294967295'},
        {'hyperv_enlight:profile': 'nested'},
        {'hyperv_enlight:profile': 'none'},
    )
)
_PROPERTIES_OF_IMAGES = st.one_of(
    st.just({}),
    st.builds(
        lambda release, firmware: {
            'os_distro': release.distro,
            'hw_firmware_type': firmware,
        },
        st.sampled_from(windows.RELEASES),
        st.sampled_from(('bios', 'uefi')),
    ),
    st.sampled_from(
        (
            {'img_hide_hypervisor_id': 'true'},
            {'hyperv_enlight_profile': 'performance'},
            {'hyperv_enlight_spinlocks_retries': '5000'},
        )
    ),
)


def guests(known_profiles):
    """Return guests whose operator chose one of these profiles."""
    return st.builds(
        Case,
        force_on=_FEW,
        force_off=_FEW,
        flavor=_TOGGLES,
        image=_TOGGLES,
        profile=st.sampled_from(known_profiles),
        specs=_SPECS,
        properties=_PROPERTIES_OF_IMAGES,
        nested=_ANSWERS,
        spinlock_retries=st.sampled_from(('8191', '4096', 'auto')),
        host=HOSTS,
    )


NAMES = st.sampled_from(cases.NAMES)
#: Guests whose enlightenments are decided name by name.
CUSTOM = guests(_CUSTOM)
#: Guests whose enlightenments others may name.
ANY = guests(tuple(profiles.PROFILES))
