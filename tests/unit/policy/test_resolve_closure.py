# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight import exception
from tests.unit.policy import cases

Invalid, NotHere = exception.InvalidRequest, exception.HostCannotDeliver


@ddt.ddt
class ClosureTestCase(cases.ResolveTestCase):
    """On brings what it requires."""

    @ddt.unpack
    @ddt.data(
        ('relaxed', ()),
        ('synic', ('vpindex',)),
        ('stimer', ('synic', 'vpindex', 'hypervclock')),
        ('stimer.direct', ('stimer', 'synic', 'vpindex', 'hypervclock')),
        ('tlbflush', ('vpindex',)),
        ('tlbflush.extended', ('tlbflush', 'vpindex')),
        ('ipi', ('vpindex',)),
        ('evmcs', ('vapic',)),
        ('avic', ('synic', 'vpindex')),
    )
    def test_resolve_closes(self, name, required):
        for kwargs in (
            {'flavor': {name: 'on'}},
            {'image': {name.replace('.', '_'): 'on'}},
            {'force_on': (name,)},
        ):
            decided = cases.decide(profile='none', **kwargs)
            self.check_on((name, *required), decided)

    @ddt.unpack
    @ddt.data(
        ('emsr_bitmap', cases.INTEL, ('evmcs', 'vapic')),
        ('emsr_bitmap', cases.AMD, ()),
        ('emsr_bitmap', None, ()),
        (
            'tlbflush.direct',
            cases.INTEL,
            ('evmcs', 'vapic', 'tlbflush', 'vpindex'),
        ),
        ('tlbflush.direct', cases.AMD, ('vapic', 'tlbflush', 'vpindex')),
    )
    def test_resolve_closes_by_vendor(self, name, vendor, required):
        decided = cases.decide(
            {name: 'on'}, host=cases.make_host(vendor=vendor), profile='none'
        )
        self.check_on((name, *required), decided)

    def test_resolve_required_says_why(self):
        self.check_outcome(
            cases.decide({'stimer': 'on'}, profile='none'),
            'vpindex',
            'on',
            'required',
            'flavor',
            "'vpindex' is on: 'stimer', which the flavor asks for "
            '(hyperv_enlight:stimer=on), requires it.',
        )

    @ddt.data('synic', 'hypervclock')
    def test_resolve_asked_for_keeps_its_own_reason(self, name):
        # One stands before stimer in the catalogue, the other behind it.
        self.check_outcome(
            cases.decide({'stimer': 'on'}, {name: 'on'}, profile='none'),
            name,
            'on',
            'asked',
            'image',
            f'{name!r} is on: the image asks for it '
            f'(hyperv_enlight_{name}=on).',
        )


@ddt.ddt
class ConflictTestCase(cases.ResolveTestCase):
    """An explicit on that needs what is explicitly off."""

    @ddt.unpack
    @ddt.data(
        # The example of design.md, section 4.
        (
            {'flavor': {'stimer': 'on'}, 'image': {'synic': 'off'}},
            "'stimer' (flavor) requires 'synic', which the image turned off.",
        ),
        (
            {'flavor': {'stimer': 'on', 'synic': 'off'}},
            "'stimer' (flavor) requires 'synic', which the flavor turned off.",
        ),
        (
            {'image': {'stimer': 'on'}, 'flavor': {'hypervclock': 'off'}},
            "'stimer' (image) requires 'hypervclock', which the flavor "
            'turned off.',
        ),
        (
            {'force_on': ('ipi',), 'image': {'vpindex': 'off'}},
            "'ipi' (operator) requires 'vpindex', which the image turned off.",
        ),
        (
            {'flavor': {'ipi': 'on'}, 'force_off': ('vpindex',)},
            "'ipi' (flavor) requires 'vpindex', which the operator turned "
            'off.',
        ),
        # From afar: whoever asked is named, not what is in between.
        (
            {'flavor': {'stimer.direct': 'on'}, 'image': {'vpindex': 'off'}},
            "'stimer.direct' (flavor) requires 'vpindex', which the image "
            'turned off.',
        ),
        (
            {'flavor': {'spinlocks.retries': '5000', 'tlbflush': 'on'}}
            | {'image': {'vpindex': 'off'}},
            "'tlbflush' (flavor) requires 'vpindex', which the image turned "
            'off.',
        ),
    )
    def test_resolve_conflict(self, kwargs, message):
        self.check_refused(Invalid, message, **kwargs)

    def test_resolve_conflict_whatever_the_host(self):
        # No host could mend it: the build is aborted, not rescheduled.
        self.check_refused(
            Invalid,
            "'stimer' (flavor) requires 'synic', which the image turned off.",
            {'stimer': 'on'},
            {'synic': 'off'},
            cases.make_host(()),
        )

    def test_resolve_conflict_on_one_vendor_from_afar(self):
        # evmcs requires vapic everywhere, but only Intel requires evmcs.
        self.check_refused(
            NotHere,
            "'emsr_bitmap' (flavor) requires 'vapic', which the image turned "
            'off.',
            {'emsr_bitmap': 'on'},
            {'vapic': 'off'},
            cases.make_host(vendor=cases.INTEL),
        )

    def test_resolve_conflict_on_one_vendor(self):
        # An AMD host could mend it.
        self.check_refused(
            NotHere,
            "'emsr_bitmap' (flavor) requires 'evmcs', which the image turned "
            'off.',
            {'emsr_bitmap': 'on'},
            {'evmcs': 'off'},
        )

    def test_resolve_no_conflict_on_the_other_vendor(self):
        decided = cases.decide(
            {'emsr_bitmap': 'on'},
            {'evmcs': 'off'},
            cases.make_host(vendor=cases.AMD),
            profile='none',
        )
        self.check_on(['emsr_bitmap'], decided)

    def test_resolve_overruled_off_is_no_conflict(self):
        decided = cases.decide(
            {'stimer': 'on', 'synic': 'on'}, {'synic': 'off'}, profile='none'
        )
        self.assertIn('synic', decided.selection.features)

    @ddt.unpack
    @ddt.data(
        (
            'synic',
            'stimer',
            "'stimer' requires 'synic', which the image turned off.",
        ),
        (
            'synic',
            'stimer.direct',
            "'stimer.direct' requires 'stimer', "
            "which requires 'synic', which the image turned off.",
        ),
        (
            'hypervclock',
            'stimer',
            "'stimer' requires 'hypervclock', which the image turned off.",
        ),
        (
            'vpindex',
            'ipi',
            "'ipi' requires 'vpindex', which the image turned off.",
        ),
    )
    def test_resolve_profile_gives_way(self, off, name, text):
        self.check_outcome(
            cases.decide(image={off: 'off'}),
            name,
            'off',
            'requires',
            'image',
            text,
        )

    def test_resolve_profile_gives_way_no_further(self):
        self.check_on(
            cases.BASELINE - {'synic', 'stimer', 'stimer.direct'},
            cases.decide(image={'synic': 'off'}),
        )
