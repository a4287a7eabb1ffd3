# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.policy import record
from tests.unit import base
from tests.unit.host import samples
from tests.unit.policy import cases

LISTED = frozenset(cases.ALL - {'hypervclock', 'stimer.direct'})


def started_with(*names, **selection):
    """Return the record of a guest."""
    return record.Record(
        profile='baseline',
        selection=selections.Selection(features=frozenset(names), **selection),
    )


def concluded(vendor, names=LISTED, **kernel):
    """Return a host of a new libvirt, by its witnesses."""
    return evaluation.evaluate(
        capabilities.Sources(
            virt_type='kvm',
            arch='x86_64',
            libvirt=(12, 4, 0),
            qemu=(10, 1, 0),
            domcaps=samples.listing(*names),
            kernel=samples.kernel_facts(vendor, **kernel),
            tsc_frequency=2794748000,
        )
    )


class MissingTestCase(base.TestCase):
    def test_missing_nothing(self):
        host = cases.make_host(cases.BASELINE)

        self.assertEqual(
            [], record.missing(started_with(*cases.BASELINE), host)
        )

    def test_missing_in_the_catalogues_order(self):
        host = cases.make_host(cases.MINIMAL)

        self.assertEqual(
            ['synic', 'evmcs', 'stimer.direct'],
            record.missing(
                started_with('stimer.direct', 'evmcs', 'relaxed', 'synic'),
                host,
            ),
        )

    def test_missing_is_not_what_nobody_knows(self):
        # "unknown" is not "no": libvirt itself will say.
        host = cases.make_host(cases.MINIMAL, unknown=['synic'])

        self.assertEqual(
            [], record.missing(started_with('relaxed', 'synic'), host)
        )


@ddt.ddt
class ObstaclesTestCase(base.TestCase):
    def check(self, expected, recorded, host):
        self.assertEqual(expected, record.obstacles(recorded, host))

    def test_obstacles_for_tenants(self):
        host = concluded(cases.AMD, names=LISTED - {'synic'})

        self.assertEqual(
            ["'synic', 'evmcs' are missing there."],
            record.obstacles(started_with('synic', 'evmcs'), host, True),
        )

    @ddt.data((), cases.MINIMAL, cases.BASELINE, cases.NESTED)
    def test_obstacles_none_where_all_is_there(self, names):
        self.check([], started_with(*names), concluded(cases.INTEL))

    def test_obstacles_none_where_there_is_more(self):
        self.check([], started_with('relaxed'), concluded(cases.INTEL))

    def test_obstacles_a_sentence_for_each_reason(self):
        self.check(
            [
                "'synic', 'stimer' are missing there: libvirt does not list "
                'it.',
                "'evmcs' is missing there: only Intel processors have it, "
                'and the host is AMD.',
                "'stimer.direct' is missing there: libvirt does not list "
                'stimer.',
            ],
            started_with(
                'relaxed', 'synic', 'stimer', 'evmcs', 'stimer.direct'
            ),
            concluded(cases.AMD, ['relaxed', 'vpindex']),
        )

    def test_obstacles_evmcs_to_another_vendor(self):
        self.check(
            [
                "'evmcs' is missing there: only Intel processors have it, "
                'and the host is AMD.'
            ],
            started_with('vapic', 'evmcs'),
            concluded(cases.AMD),
        )

    def test_obstacles_evmcs_to_a_host_without_nested(self):
        self.check(
            [
                "'evmcs' is missing there: it needs nested virtualization, "
                'which the host has switched off.'
            ],
            started_with('vapic', 'evmcs'),
            concluded(cases.INTEL, nested=False),
        )

    @ddt.data(cases.AMD, cases.INTEL)
    def test_obstacles_avic_to_a_host_without(self, vendor):
        # KVM reports it there all the same: only the benefit is lost.
        self.check(
            [], started_with('synic', 'avic'), concluded(vendor, apic=False)
        )

    @ddt.data(cases.AMD, cases.INTEL)
    def test_obstacles_avic_to_a_host_that_does_not_know_it(self, vendor):
        (sentence,) = record.obstacles(
            started_with('synic', 'avic'),
            concluded(vendor, LISTED - {'avic'}, apic=False),
        )

        self.assertIn("'avic' is missing there: ", sentence)

    def test_obstacles_others_to_a_host_without_their_hardware(self):
        # A Hyper-V in the guest may use them.
        for name in ('evmcs', 'emsr_bitmap', 'tlbflush.direct'):
            self.assertEqual(
                1,
                len(
                    record.obstacles(
                        started_with(name),
                        concluded(cases.INTEL, nested=False),
                    )
                ),
                name,
            )

    @ddt.data(
        ('4294967295', (11, 0, 0), True),
        ('2147483648', (11, 8, 0), True),
        ('4294967295', (11, 9, 0), False),
        ('2147483647', (9, 0, 0), False),
        ('4294967295', None, False),
    )
    @ddt.unpack
    def test_obstacles_a_value(self, retries, libvirt, refused):
        version = '.'.join(map(str, libvirt or ()))
        self.check(
            [
                f'spinlocks.retries={retries} needs libvirt 11.9.0, and the '
                f'host has {version}.'
            ]
            * refused,
            started_with(
                'spinlocks',
                values=frozenset((('spinlocks.retries', retries),)),
            ),
            cases.make_host(libvirt=libvirt),
        )

    @ddt.data(
        (2794748000, False, False),
        # 250 ppm
        (2795446000, False, False),
        (2795448000, False, True),
        (2000000000, False, True),
        (2000000000, True, False),
        (2000000000, None, False),
        (None, False, False),
    )
    @ddt.unpack
    def test_obstacles_a_pinned_frequency(self, here, scaling, refused):
        self.check(
            [
                "'reenlightenment' is on with a TSC frequency of 2794748000 "
                f'Hz, and the host has {here} Hz and cannot scale it.'
            ]
            * refused,
            started_with('reenlightenment', tsc_frequency=2794748000),
            cases.make_host(tsc_frequency=here, tsc_scaling=scaling),
        )

    def test_obstacles_a_host_without_hyperv(self):
        host = evaluation.evaluate(
            samples.sources(
                'amd-libvirt9.0-qemu7.2-machine-q35', samples.MACHINE_KERNEL
            )
        )

        (sentence,) = record.obstacles(started_with(*cases.BASELINE), host)

        for name in cases.BASELINE:
            self.assertIn(repr(name), sentence)
        self.assertTrue(
            sentence.endswith(
                " are missing there: the host's KVM does not emulate Hyper-V "
                '(KVM_CAP_HYPERV is 0).'
            ),
            sentence,
        )

    def test_obstacles_reenlightenment_without_a_frequency(self):
        self.check(
            [
                "'reenlightenment' is on without a pinned TSC frequency: "
                'QEMU fails on the destination once the guest uses it.'
            ],
            started_with('reenlightenment'),
            concluded(cases.INTEL),
        )

    def test_obstacles_reenlightenment_with_a_frequency(self):
        self.check(
            [],
            started_with('reenlightenment', tsc_frequency=2794748000),
            concluded(cases.INTEL),
        )

    def test_obstacles_reenlightenment_without_both(self):
        found = record.obstacles(
            started_with('reenlightenment'), cases.make_host(())
        )

        self.assertEqual(2, len(found))

    def test_obstacles_passthrough(self):
        # Whatever the destination has.
        self.check(
            [
                "It was started with mode='passthrough', and QEMU does not "
                'migrate such a guest.'
            ],
            started_with('hypervclock', mode=profiles.Mode.PASSTHROUGH),
            concluded(cases.INTEL),
        )

    @ddt.data(profiles.Mode.STOCK, profiles.Mode.HOST_MODEL)
    def test_obstacles_other_modes_go_by_names(self, mode):
        self.check(
            [f"'hypervclock' is missing there: {cases.LACKED}."],
            started_with('hypervclock', mode=mode),
            cases.make_host(cases.ALL - {'hypervclock'}),
        )

    def test_obstacles_virt_type_qemu(self):
        host = evaluation.evaluate(
            capabilities.Sources(virt_type='qemu', arch='x86_64')
        )

        self.check(
            [
                "'relaxed' is missing there: only KVM emulates Hyper-V, and "
                'virt_type is qemu.'
            ],
            started_with('relaxed'),
            host,
        )
