# SPDX-License-Identifier: Apache-2.0

"""Any life of a server, while operators change any option on any host."""

import os
import random
import sys
import traceback

import hypothesis
from hypothesis import stateful
from hypothesis import strategies as st
from lxml import etree

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.virt import recorder
from tests.functional import guest
from tests.functional.lifecycle import base
from tests.functional.lifecycle import migration
from tests.functional.lifecycle import test_anew

#: How many lives are lived, how many things happen in each, and the seed of
#: the lives: None for other ones each time.
_LIVES, _STEPS, _SEED = {'quick': (4, 5, 13), 'full': (40, 15, None)}[
    os.environ.get('TEST_HYPOTHESIS_PROFILE', 'quick')
]
HOSTS = ('one', 'two')
PROFILES = """\
gold:
  extends: minimal
  on: [runtime]
  values: {spinlocks.retries: 4096}
"""
#: What nova-compute starts with in a new life.
OPTIONS = {
    'enabled': True,
    'mode': 'enforce',
    'profile': 'baseline',
    'recorded_set': 'keep',
    'force_on': [],
    'force_off': [],
    'image_overridable': ['xmm_input'],
    'profiles_file': None,
}
XMM_INPUT = 'hyperv_enlight_xmm_input'
# hypothesis begins with the first of each.
IMAGES = ({**base.WINDOWS, XMM_INPUT: 'on'}, base.WINDOWS)
SPECS = (
    {'hyperv_enlight:profile': 'gold'},
    {'hyperv_enlight:reenlightenment': 'on'},
    {},
)
#: What an operator may change of a host: an option, or the names it offers.
CHANGES = (
    ('image_overridable', []),
    ('image_overridable', ['xmm_input']),
    ('profiles_file', None),
    ('enabled', False),
    ('enabled', True),
    ('enabled', True),
    ('mode', 'shadow'),
    ('mode', 'enforce'),
    ('mode', 'enforce'),
    ('profile', 'minimal'),
    ('profile', 'nested'),
    ('profile', 'stock'),
    ('profile', 'passthrough'),
    ('recorded_set', 'refresh'),
    ('force_off', ['synic']),
    ('force_off', []),
    ('names', base.RICH),
    ('names', base.POOR),
    ('names', ()),
)


def happens(*states):
    """Make a rule of what happens to a server in one of these states.

    An operator may change the server's host, or the other one, before it.
    """

    def decorate(method):
        @stateful.precondition(lambda life: life.state in states)
        @stateful.rule(
            elsewhere=st.booleans(),
            changes=st.lists(st.sampled_from(CHANGES), min_size=1, max_size=2),
        )
        def rule(life, elsewhere, changes):
            host = life.elsewhere() if elsewhere else life.here()
            # It is in the test's output where that fails.
            print(life.state, host, changes, method.__name__)
            try:
                life.change(host, dict(changes))
                method(life)
            except Exception:
                # hypothesis hides it where a life that it lives again does
                # not fail.
                traceback.print_exc(file=sys.stdout)
                raise

        return rule

    return decorate


class Life(stateful.RuleBasedStateMachine):
    """One server, two hosts and their operators.

    :cvar cloud: the test case, whose Nova all lives are lived in
    :ivar state: the server's status
    :ivar resting: what it will be after a migration
    """

    cloud = None

    @stateful.initialize(
        image=st.sampled_from(IMAGES), specs=st.sampled_from(SPECS)
    )
    def build(self, image, specs):
        # hypothesis has seeded it, and Nova's tests draw names from it.
        random.seed()
        self.image, self.specs = image, specs
        print('A new life', image, specs)
        self.options = {host: dict(OPTIONS) for host in HOSTS}
        for host in HOSTS:
            self.options[host]['profiles_file'] = self.cloud._profiles
            self.change(host, {'names': base.RICH})
        self.server = self.cloud.boot(image, dict(specs))
        self.state = self.resting = 'ACTIVE'
        beside = self.cloud.instance(self.server)
        beside.system_metadata['another_service'] = 'its own'
        beside.save()

    def teardown(self):
        if hasattr(self, 'server'):
            self.cloud._delete_server(self.server)

    # The operators

    def restart(self, host):
        self.cloud.restart(host, **self.options[host])

    def change(self, host, changes):
        names, kernel = self.cloud._hosts[host]
        names = changes.pop('names', names)
        self.cloud._hosts[host] = names, kernel
        self.options[host].update(changes)
        self.restart(host)

    # The server

    def settle(self, state):
        self.state = state
        self.server = self.cloud._wait_for_server_parameter(
            self.server, {'OS-EXT-STS:task_state': None, 'status': state}
        )

    def act(self, action, state, **arguments):
        self.cloud.api.post_server_action(
            self.server['id'], {action: arguments or None}
        )
        self.settle(state)

    def starting(self, action, state, host, **arguments):
        """Do what starts the server on a host, which must never fail."""
        self.cloud._plugin_log.records.clear()
        self.act(action, state, **arguments)
        assert self.cloud.host_of(self.server) == host
        if self.acts(host) and self.passed_over(host):
            told = ' '.join(self.cloud.warnings(self.server))
            assert 'is left out; a rebuild' in told, told

    @happens('ACTIVE')
    def stop(self):
        self.act('os-stop', 'SHUTOFF')

    @happens('SHUTOFF')
    def start(self):
        self.starting('os-start', 'ACTIVE', self.here())

    @happens('ACTIVE', 'SHUTOFF', 'ERROR')
    def reboot(self):
        self.starting('reboot', 'ACTIVE', self.here(), type='HARD')

    @happens('ACTIVE', 'SHUTOFF')
    def migrate(self):
        self.resting = self.state
        self.starting('migrate', 'VERIFY_RESIZE', self.elsewhere())

    @happens('ACTIVE', 'SHUTOFF')
    def resize(self):
        if self.refuses(self.elsewhere()):
            return
        self.resting = self.state
        flavor = self.cloud._create_flavor(
            **{**self.cloud.FLAVOR, 'memory_mb': 128},
            extra_spec=dict(self.specs),
        )
        self.act('resize', 'VERIFY_RESIZE', flavorRef=flavor)

    @happens('VERIFY_RESIZE')
    def confirm(self):
        self.act('confirmResize', self.resting)

    @happens('VERIFY_RESIZE')
    def revert(self):
        self.act('revertResize', self.resting)

    @happens('ACTIVE', 'SHUTOFF')
    def rebuild(self):
        refused = self.refuses(self.here())
        image = self.cloud.instance(self.server).image_ref
        self.act('rebuild', 'ERROR' if refused else self.state, imageRef=image)

    @happens('ACTIVE', 'SHUTOFF')
    def shelve(self):
        self.act('shelve', 'SHELVED_OFFLOADED')

    @happens('SHELVED_OFFLOADED')
    def unshelve(self):
        # The scheduler likes it best.
        self.starting('unshelve', 'ACTIVE', HOSTS[0])

    @happens('ACTIVE', 'SHUTOFF')
    def snapshot(self):
        self.cloud._snapshot_server(self.server, 'snapshot')
        self.settle(self.state)

    @happens('ACTIVE')
    def live_migrate(self):
        # It may be refused; the server is where it was then.
        self.cloud.live_migrate(self.server, self.elsewhere())
        self.settle('ACTIVE')

    @happens('ACTIVE', 'SHUTOFF')
    def evacuate(self):
        failed, other = self.here(), self.elsewhere()
        self.cloud.computes[failed].stop()
        (service,) = self.cloud.api.get_services(
            host=failed, binary='nova-compute'
        )
        self.cloud.api.put_service_force_down(service['id'], True)
        self.cloud._evacuate_server(self.server, expected_host=other)
        # It removes the guest that it has no more.
        self.restart(failed)
        self.cloud.api.put_service_force_down(service['id'], False)
        self.settle('SHUTOFF')

    def here(self):
        # One that is shelved is on no host.
        return self.cloud.host_of(self.server) or HOSTS[0]

    def elsewhere(self):
        (other,) = set(HOSTS) - {self.here()}
        return other

    def acts(self, host):
        options = self.options[host]
        return options['enabled'] and options['mode'] == 'enforce'

    def passed_over(self, host):
        """Whether a host does not allow what the server asks for."""
        options = self.options[host]
        return (
            XMM_INPUT in self.image
            and 'xmm_input' not in options['image_overridable']
        ) or (
            'gold' in self.specs.values() and options['profiles_file'] is None
        )

    def refuses(self, host):
        """Whether a host refuses a new server like this one."""
        options, (names, _) = self.options[host], self.cloud._hosts[host]
        asked = set()
        if XMM_INPUT in self.image:
            asked.add('xmm_input')
        if 'hyperv_enlight:reenlightenment' in self.specs:
            asked.add('reenlightenment')
        alone = 'gold' not in self.specs.values() and options['profile'] in (
            'stock',
            'passthrough',
        )
        return self.acts(host) and bool(
            self.passed_over(host)
            or asked - set(names)
            # Nothing can be asked for beside it.
            or (alone and asked)
        )

    # What holds at any time

    @stateful.invariant()
    def nothing_else_is_saved(self):
        found = self.cloud.instance(self.server).system_metadata
        assert found['another_service'] == 'its own'
        keys = {key for key in found if 'hyperv_enlight' in key}
        allowed = {recorder.KEY, f'image_{XMM_INPUT}'}
        if self.state == 'VERIFY_RESIZE':
            allowed.add(f'old_{recorder.KEY}')
        assert keys <= allowed, keys

    @stateful.invariant()
    def the_record_is_true(self):
        instance = self.cloud.instance(self.server)
        text = instance.system_metadata.get(recorder.KEY)
        if text is None or instance.host is None:
            return
        connection = self.cloud.connection(instance.host)
        domain = connection.lookupByUUIDString(instance.uuid)
        if not domain.isActive():
            return
        running = hyperv.read(etree.fromstring(domain.XMLDesc(0)))
        recorded = record.decode(text).selection
        mode = recorded.mode
        if mode is profiles.Mode.STOCK:
            # Nova's own list, which a document does not tell from ours.
            mode = profiles.Mode.CUSTOM
        told = text, running
        assert recorded.features == running.features, told
        assert recorded.values == running.values, told
        assert mode is running.mode, told
        assert recorded.tsc_frequency == running.tsc_frequency, told


class LifeTestCase(migration.LiveMigrationTestCase):
    HOSTS = HOSTS

    def setUp(self):
        super().setUp()
        self.flags(shelved_offload_time=0)
        self.useFixture(migration.TSC())
        self.useFixture(
            base.fixtures.MonkeyPatch(
                'nova.virt.libvirt.driver.LibvirtDriver.snapshot',
                test_anew.snapshot,
            )
        )
        self._profiles = self.useFixture(base.fixtures.TempDir()).join(
            'profiles.yaml'
        )
        with open(self._profiles, 'w') as stream:
            stream.write(PROFILES)
        for host in HOSTS:
            self.start(host, kernel=guest.INTEL)

    def test_any_life(self):
        # Nova makes a new connection to the fake libvirt for each test.
        life = type('Life', (Life,), {'cloud': self})
        if _SEED is not None:
            # Otherwise each edit of this file leads to other lives.
            hypothesis.seed(_SEED)(life)
        stateful.run_state_machine_as_test(
            life,
            settings=hypothesis.settings(
                max_examples=_LIVES,
                stateful_step_count=_STEPS,
                deadline=None,
                database=None,
                print_blob=False,
                report_multiple_bugs=False,
                # To look for a shorter life takes too long.
                phases=[hypothesis.Phase.generate],
                suppress_health_check=list(hypothesis.HealthCheck),
            ),
        )
