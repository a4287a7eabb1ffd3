# SPDX-License-Identifier: Apache-2.0

"""What ``host show`` shows to people: each reason once, and the sum."""

import collections.abc
import textwrap

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.fleet import documents
from nova_hyperv_enlight.host import capabilities

_CATALOGUE = enlightenments.ENLIGHTENMENTS
_KVM = {
    True: '; its KVM emulates Hyper-V',
    False: '; its KVM does not emulate Hyper-V',
    None: '',
}
#: With the column that --verify adds, the table takes 79 characters.
_TEXT_WIDTHS = {False: (30, 32), True: (20, 23)}


def grouped(
    host: capabilities.HostCapabilities,
    shown: collections.abc.Mapping[str, str],
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return a row for each reason, with the names that it is the reason of.

    :param host: what it offers.
    :param shown: what guests were shown, by name; empty where none was asked.
    :returns: the columns and the rows, whose cells have lines.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, capability in host.features.items():
        who = capability.source
        evidence = capability.evidence
        if who is not capabilities.CapabilitySource.NONE:
            evidence += f' ({who.value})'
        offered = documents.OFFERED[capability.offered]
        seen = (shown[name],) if shown else ()
        groups.setdefault((offered, evidence, *seen), []).append(name)
    columns = ['name', 'offered', 'evidence (witness)']
    if shown:
        columns.append('shown to a guest')
    return columns, [
        row(', '.join(names), offered, evidence, *seen)
        for (offered, evidence, *seen), names in groups.items()
    ]


def row(
    names: str, offered: str, evidence: str, *seen: str
) -> tuple[str, ...]:
    """Return such a row, with lines that are not too long."""
    name_width, evidence_width = _TEXT_WIDTHS[bool(seen)]
    return (
        textwrap.fill(names, name_width, break_on_hyphens=False),
        offered,
        textwrap.fill(evidence, evidence_width, break_on_hyphens=False),
        *seen,
    )


def summary(host: capabilities.HostCapabilities) -> str:
    """Say in one line what a host can give to a Windows guest."""
    given = host.delivered
    reasons = {each.evidence for each in host.features.values()}
    if not given and len(reasons) == 1:
        return f'This host can give none of {len(_CATALOGUE)}: {min(reasons)}.'
    line = (
        f'This host can give {len(given) or "none"} of {len(_CATALOGUE)}'
        f'{_KVM[_emulated(host)]}.'
    )
    for words, names in (
        ('Offered, but without what it requires', host.offered - given),
        (
            'Not known',
            {n for n, each in host.features.items() if each.offered is None},
        ),
    ):
        if names:
            line += f' {words}: {", ".join(graph.in_order(names))}.'
    return line


def _emulated(host: capabilities.HostCapabilities) -> bool | None:
    """Whether the host's KVM emulates Hyper-V, None where it is not known.

    A name with a bit of CPUID is offered only where it does.
    """
    if host.sources.kernel.hyperv is None and any(
        host.features[name].offered
        for name, entry in _CATALOGUE.items()
        if entry.cpuid
    ):
        return True
    return host.sources.kernel.hyperv
