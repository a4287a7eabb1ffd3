# SPDX-License-Identifier: Apache-2.0

"""Guests that are started again, for tests of the decision."""

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit.policy import cases

RETRIES = ('spinlocks.retries', '8191')


def started_with(names, profile='baseline', values=(RETRIES,), **selection):
    """Return the record of a guest."""
    return record.Record(
        profile=profile,
        selection=selections.Selection(
            features=frozenset(names),
            values=frozenset(values if 'spinlocks' in names else ()),
            **selection,
        ),
    )


def decide(
    recorded,
    flavor=None,
    image=None,
    host=cases.HOST,
    nested=None,
    started=None,
    **options,
):
    """Decide about a Windows guest.

    :param started: whether it was started before; one that has a record was.
    """
    if started is None:
        started = recorded is not None
    return resolve.resolve(
        settings.Settings(**{'image_overridable': cases.ANYTHING, **options}),
        cases.make_request(flavor, image, nested=nested, started=started),
        host,
        recorded,
    )


class RecordedTestCase(cases.ResolveTestCase):
    """Looks at decisions about guests that were started before."""

    def check_lost(self, names, decided, recorded, **options):
        lost = resolve.lost(decided, recorded, settings.Settings(**options))
        self.assertEqual(list(names), [outcome.name for outcome in lost])
