# SPDX-License-Identifier: Apache-2.0

"""Hosts of a fleet, and their documents, for tests."""

import json

from nova_hyperv_enlight.fleet import documents
from nova_hyperv_enlight.fleet import host_rows
from tests.unit.policy import cases


def make(name='a', names=cases.ALL, **kwargs):
    """Return a host that offers these names; see ``cases.make_host``."""
    return documents.Host(
        name=name,
        source=f'{name}.json',
        capabilities=cases.make_host(names, **kwargs),
    )


def rows(host, name=None, describe=True):
    """Return a host's document of an older release, as Python has it.

    :param name: the host's name.
    :param describe: as with ``--describe``.
    """
    written = documents.rows(host)
    if describe:
        written += [
            {'name': row, 'offered': '-', 'witness': '-', 'evidence': text}
            for row, text in host_rows.describe(name, host.sources)
        ]
    return written


def text(names=cases.ALL, name=None, describe=True, **kwargs):
    """Return the document of a host that offers these names."""
    host = cases.make_host(names, **kwargs)
    return json.dumps(
        documents.write(name, host) if describe else documents.rows(host)
    )
