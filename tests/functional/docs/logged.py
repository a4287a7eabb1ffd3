# SPDX-License-Identifier: Apache-2.0

"""What nova-compute logs of the guests that the documentation tells of."""

import dataclasses
import pathlib

from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit.policy import cases

_DOCUMENTS = pathlib.Path(__file__).parents[2] / 'data' / 'domaincaps'
_HERE = 'amd-libvirt9.0-qemu7.2-lab-q35'
_WITHOUT = 'amd-libvirt9.0-qemu7.2-machine-q35'


def _host(name=_HERE, **facts):
    """Return a host that was recorded."""
    caps = domaincaps.parse((_DOCUMENTS / f'{name}.xml').read_bytes())
    return evaluation.evaluate(
        capabilities.Sources(
            virt_type='kvm',
            arch='x86_64',
            machine=caps.machine,
            libvirt=(9, 0, 0),
            qemu=(7, 2, 22),
            domcaps=caps,
            kernel=kvm.KernelFacts(
                **{'hyperv': True, 'time': True, 'apic': False, **facts}
            ),
        )
    )


def _decide(host=None, flavor=None, recorded=None, encrypted=False, **options):
    return resolve.resolve(
        settings.Settings(**options),
        dataclasses.replace(
            cases.make_request(flavor, started=recorded is not None),
            encrypted=encrypted,
        ),
        host or _host(),
        recorded,
    )


def _line(decided):
    return f'Hyper-V enlightenments: {decision.one_line(decided)}'


def _shadow():
    decided = _decide()
    # Nova 34's own list, of the same host.
    own = _decide(
        force_off=('stimer', 'stimer.direct'), profile='baseline'
    ).selection
    return (
        'Hyper-V enlightenments (shadow mode, not written): '
        f'{decision.one_line(decided)}; {decision.difference(decided, own)}'
    )


def _degraded():
    """Return both lines of a guest that has come to a poorer host."""
    conf = settings.Settings()
    before = _decide(profile='minimal')
    kept = record.Record(profile='minimal', selection=before.selection)
    decided = _decide(_host(_WITHOUT, hyperv=False, time=False), recorded=kept)
    lost = ' '.join(
        outcome.text for outcome in resolve.lost(decided, kept, conf)
    )
    return [
        _line(decided),
        'This guest was started with more than this host can deliver now. '
        f'{lost}',
    ]


def lines():
    """Return all of them, without what oslo.log puts before each."""
    return [
        _line(_decide()),
        _line(_decide(flavor={'profile': 'performance'})),
        _line(_decide(_host(_WITHOUT, hyperv=False, time=False))),
        _line(
            _decide(
                flavor={'spinlocks.retries': '4096'},
                profile='minimal',
                force_off=('vapic',),
            )
        ),
        _line(_decide(encrypted=True)),
        _shadow(),
        *_degraded(),
    ]
