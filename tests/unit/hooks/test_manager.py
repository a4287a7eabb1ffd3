# SPDX-License-Identifier: Apache-2.0

import importlib.metadata
import pathlib

import ddt
import fixtures

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.hooks import base as hooks_base
from nova_hyperv_enlight.hooks import manager
from nova_hyperv_enlight.policy import decision
from tests.fixtures import site as site_fixture
from tests.unit import base

MODULE = '''
from nova_hyperv_enlight.hooks import base


class First(base.GuestConfigHook):
    """Notes that it ran."""

    def apply(self, config, context):
        config.append((self, context))


class Second(First):
    """Runs like the first."""


class Failing(base.GuestConfigHook):
    """Fails."""

    def apply(self, config, context):
        raise ValueError('the rack is on fire')


class Abstract(base.GuestConfigHook):
    """Forgot to write apply()."""


class Fussy(First):
    """Cannot be made without an argument."""

    def __init__(self, argument):
        pass


class NotAHook:
    """Looks like one, and is none."""

    def apply(self, config, context):
        pass


def function():
    """Return no hook."""
    return None
'''
ENTRY_POINTS = """
[nova_hyperv_enlight.guest_config]
first = site_hooks.good:First
second = site_hooks.good:Second
failing = site_hooks.good:Failing
abstract = site_hooks.good:Abstract
fussy = site_hooks.good:Fussy
not_a_hook = site_hooks.good:NotAHook
function = site_hooks.good:function
no_attribute = site_hooks.good:Absent
no_module = site_hooks.absent:First
broken = site_hooks.broken:First
"""
METADATA = 'Metadata-Version: 2.1\nName: site-hooks\nVersion: 1.0\n'


def make_context():
    return hooks_base.Context(
        instance_uuid='63fca0e3-6f2d-4a5a-8a5c-0f2b8a4c2f5e',
        decision=decision.Decision(acts=True, profile='baseline', outcomes=()),
    )


def names_of(ran):
    """Return the names of the hooks that ran, from what they noted."""
    return [type(hook).__name__.lower() for hook, _ in ran]


class InstalledHooks(fixtures.Fixture):
    """A distribution on ``sys.path``, with hooks of every kind."""

    def _setUp(self):
        site = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        for path, text in (
            ('site_hooks/__init__.py', ''),
            ('site_hooks/good.py', MODULE),
            ('site_hooks/broken.py', "raise RuntimeError('half installed')"),
            ('site_hooks-1.0.dist-info/METADATA', METADATA),
            ('site_hooks-1.0.dist-info/entry_points.txt', ENTRY_POINTS),
        ):
            (site / path).parent.mkdir(exist_ok=True)
            (site / path).write_text(text, encoding='utf-8')
        self.useFixture(site_fixture.OnPath('site_hooks', site))


@ddt.ddt
class HookManagerTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.useFixture(InstalledHooks())
        self.context = make_context()

    def refused(self, *names):
        """Return the message that these hooks are refused with."""
        error = self.assertRaises(
            exception.HookLoadError, manager.HookManager, names
        )
        return str(error)

    @ddt.data(
        ('first', 'second', 'noop'),
        ('noop', 'second', 'first'),
        ('second', 'noop', 'first'),
        ('second',),
        (),
    )
    def test_names_are_in_the_operators_order(self, names):
        self.assertEqual(list(names), manager.HookManager(names).names)

    @ddt.data(('first', 'second'), ('second', 'first'))
    def test_apply_runs_in_the_operators_order(self, names):
        ran = []

        manager.HookManager(names).apply(ran, self.context)

        self.assertEqual(list(names), names_of(ran))

    def test_apply_hands_on_the_context(self):
        ran = []

        manager.HookManager(('first',)).apply(ran, self.context)

        self.assertEqual([self.context], [context for _, context in ran])

    def test_apply_of_no_hooks(self):
        config = []

        manager.HookManager(()).apply(config, self.context)

        self.assertEqual([], config)

    def test_one_object_serves_all_guests(self):
        hooks = manager.HookManager(('first',))
        ran = []

        hooks.apply(ran, self.context)
        hooks.apply(ran, self.context)

        self.assertIs(ran[0][0], ran[1][0])

    def test_missing(self):
        message = self.refused('first', 'third')

        self.assertIn('hooks: third cannot be loaded:', message)
        self.assertIn('no package installs it; installed are ', message)
        self.assertIn('first', message.partition('installed are')[2])
        self.assertIn('hypervclock', message.partition('installed are')[2])

    def test_two_missing(self):
        self.assertIn(
            'hooks: fourth, third cannot',
            self.refused('third', 'first', 'fourth'),
        )

    def test_names_are_case_sensitive(self):
        self.assertIn('hooks: First cannot', self.refused('First'))

    @ddt.data(
        ('broken', 'half installed'),
        ('no_module', "No module named 'site_hooks.absent'"),
        ('no_attribute', "has no attribute 'Absent'"),
        ('abstract', 'abstract'),
        ('fussy', "missing 1 required positional argument: 'argument'"),
    )
    @ddt.unpack
    def test_does_not_load(self, name, reason):
        message = self.refused('first', name)

        self.assertIn(
            f'[hyperv_enlight] hooks: {name} cannot be loaded: ', message
        )
        self.assertIn(reason, message)

    @ddt.data(
        ('not_a_hook', 'site_hooks.good:NotAHook'),
        ('function', 'site_hooks.good:function'),
    )
    @ddt.unpack
    def test_is_not_a_hook(self, name, value):
        self.assertEqual(
            f'[hyperv_enlight] hooks: {name} cannot be loaded: {value} is '
            'not a nova_hyperv_enlight.hooks.base.GuestConfigHook',
            self.refused(name),
        )

    def test_failure_names_the_hook(self):
        hooks = manager.HookManager(('failing',))

        error = self.assertRaises(
            exception.HookError, hooks.apply, [], self.context
        )

        self.assertEqual(
            'The guest config hook failing failed: the rack is on fire',
            str(error),
        )

    def test_failure_keeps_its_cause(self):
        hooks = manager.HookManager(('failing',))

        error = self.assertRaises(
            exception.HookError, hooks.apply, [], self.context
        )

        self.assertIsInstance(error.__cause__, ValueError)

    def test_failure_stops_the_hooks_after_it(self):
        hooks = manager.HookManager(('first', 'failing', 'second'))
        ran = []

        self.assertRaises(exception.HookError, hooks.apply, ran, self.context)

        self.assertEqual(['first'], names_of(ran))

    def test_failure_of_one_guest_is_not_the_next_ones(self):
        hooks = manager.HookManager(('first', 'failing'))
        self.assertRaises(exception.HookError, hooks.apply, [], self.context)
        ran = []

        self.assertRaises(exception.HookError, hooks.apply, ran, self.context)

        self.assertEqual(['first'], names_of(ran))


class NoopTestCase(base.TestCase):
    def test_says_that_it_ran(self):
        config = []

        manager.HookManager(('noop',)).apply(config, make_context())

        self.assertEqual([], config)
        self.assertIn('The noop hook leaves 0 enlightenments', self.log.output)


class EntryPointsTestCase(base.TestCase):
    def test_own_hooks(self):
        own = importlib.metadata.distribution('nova-hyperv-enlight')

        self.assertEqual(
            {'hyperv', 'hypervclock', 'noop', 'pit'},
            {
                point.name
                for point in own.entry_points
                if point.group == manager.NAMESPACE
            },
        )
