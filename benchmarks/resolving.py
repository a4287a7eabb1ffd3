# SPDX-License-Identifier: Apache-2.0

"""How long it takes to decide about a guest."""

import pathlib
import time
import timeit

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings

from benchmarks import measure

GOAL_MICROSECONDS = 100
ROUNDS = 15
CALLS = 500
DOCUMENT = (
    pathlib.Path(__file__).parents[1]
    / 'tests/data/domaincaps/intel-libvirt12.4-qemu10.1-composed.xml'
)


def host():
    """Return a host that has everything."""
    return evaluation.evaluate(
        capabilities.Sources(
            virt_type='kvm',
            arch='x86_64',
            machine='pc',
            libvirt=(12, 4, 0),
            qemu=(10, 1, 0),
            domcaps=domaincaps.parse(DOCUMENT.read_bytes()),
            kernel=kvm.KernelFacts(
                hyperv=True,
                time=True,
                vendor=model.Vendor.INTEL,
                nested=True,
                apic=True,
            ),
        )
    )


def _least(conf, asked, host):
    rounds = timeit.repeat(
        # Without the memory of former decisions.
        lambda: resolve.resolve.__wrapped__(conf, asked, host),
        timer=time.thread_time,
        number=CALLS,
        repeat=ROUNDS,
    )
    # The least disturbed round, as the documentation of timeit advises.
    return min(rounds) / CALLS * 1e6


def figures():
    """Measure a plain guest, and one that asks for much."""
    conf, features = settings.Settings(), host()
    asked = {
        'resolve(), a plain guest': {},
        'resolve(), one that asks for much': {
            'hyperv_enlight:profile': 'nested',
            'hyperv_enlight:stimer': 'on',
            'hyperv_enlight:evmcs': 'on',
            'hyperv_enlight:ipi': 'off',
            'hyperv_enlight:spinlocks.retries': '65535',
            'hide_hypervisor_id': 'true',
        },
    }
    return [
        measure.Figure(
            what=what,
            value=_least(
                conf,
                request.from_properties(
                    os_type='windows', extra_specs=specs, image_properties={}
                ),
                features,
            ),
            unit='us',
            goal=GOAL_MICROSECONDS,
        )
        for what, specs in asked.items()
    ]
