# SPDX-License-Identifier: Apache-2.0

"""What ``fleet baseline --matrix`` shows: each host by what it delivers."""

import textwrap
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.fleet import baseline

_CATALOGUE = enlightenments.ENLIGHTENMENTS
#: With the table's lines they take 79 characters.
_HOST_WIDTH = 20
_LACKS_WIDTH = 24
_YES_OR_NO = {True: 'yes', False: 'no'}


def matrix(
    found: baseline.Baseline, people: bool
) -> tuple[tuple[str, ...], list[tuple[typing.Any, ...]]]:
    """Return a row for each host.

    :param found: the hosts.
    :param people: whether for people, who see the names that a host lacks; for
        programs each name has a column.
    :returns: the columns and the rows.
    """
    shared = found.inside.features
    outside = {each.name for each in found.outside}
    if people:
        return ('host', 'vendor', 'delivers', 'outside', 'lacks'), [
            (
                textwrap.fill(each.name, _HOST_WIDTH),
                _vendor(each),
                f'{len(each.features)} of {len(_CATALOGUE)}',
                _YES_OR_NO[each.name in outside],
                textwrap.fill(
                    ', '.join(graph.in_order(shared - each.features)) or '-',
                    _LACKS_WIDTH,
                ),
            )
            for each in found.hosts
        ]
    return ('host', 'vendor', 'outside', *_CATALOGUE), [
        (
            each.name,
            _vendor(each),
            _YES_OR_NO[each.name in outside],
            *(_YES_OR_NO[name in each.features] for name in _CATALOGUE),
        )
        for each in found.hosts
    ]


def _vendor(host: baseline.Delivery) -> str:
    return host.vendor.value if host.vendor else '-'
