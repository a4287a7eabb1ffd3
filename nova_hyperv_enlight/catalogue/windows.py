# SPDX-License-Identifier: Apache-2.0

"""Releases of Windows, and what some of them cannot take.

An image names its release by ``os_distro``, an identifier of libosinfo such
as ``win2k22``, or by ``os_distro=windows`` with ``os_version``. A release
that is not in the table, or that no rule speaks of, gets its profile in
full.
"""

import dataclasses
import re

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import profiles

#: The ``os_distro`` that leaves the release to ``os_version``.
ANY = 'windows'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release of Windows.

    :ivar distro: libosinfo's short identifier.
    :ivar title: its name.
    :ivar nt: the version of its kernel.
    :ivar versions: what ``os_version`` calls it, folded by
        :func:`_fold`; the kernel's version is understood too.
    """

    distro: str
    title: str
    nt: str
    versions: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a profile must not give to the releases of some kernels.

    :ivar nt: the kernels' versions.
    :ivar firmware: ``uefi`` or ``bios``, None for both.
    :ivar removes: the enlightenments that are taken away.
    :ivar text: why, to be read after the enlightenment's name.
    :ivar ref: the source of the fact.
    """

    nt: tuple[str, ...]
    firmware: str | None = None
    removes: frozenset[str]
    text: str
    ref: tuple[str, ...]


# The identifiers are libosinfo's (https://libosinfo.org).
RELEASES = (
    Release(
        distro='win2k', title='Windows 2000', nt='5.0', versions=('2000',)
    ),
    Release(distro='winxp', title='Windows XP', nt='5.1', versions=('xp',)),
    Release(
        distro='win2k3',
        title='Windows Server 2003',
        nt='5.2',
        versions=('2003',),
    ),
    Release(
        distro='win2k3r2',
        title='Windows Server 2003 R2',
        nt='5.2',
        versions=('2003r2',),
    ),
    Release(
        distro='winvista', title='Windows Vista', nt='6.0', versions=('vista',)
    ),
    Release(
        distro='win2k8',
        title='Windows Server 2008',
        nt='6.0',
        versions=('2008',),
    ),
    Release(distro='win7', title='Windows 7', nt='6.1', versions=('7',)),
    Release(
        distro='win2k8r2',
        title='Windows Server 2008 R2',
        nt='6.1',
        versions=('2008r2',),
    ),
    Release(distro='win8', title='Windows 8', nt='6.2', versions=('8',)),
    Release(
        distro='win2k12',
        title='Windows Server 2012',
        nt='6.2',
        versions=('2012',),
    ),
    Release(distro='win8.1', title='Windows 8.1', nt='6.3', versions=('8.1',)),
    Release(
        distro='win2k12r2',
        title='Windows Server 2012 R2',
        nt='6.3',
        versions=('2012r2',),
    ),
    Release(distro='win10', title='Windows 10', nt='10.0', versions=('10',)),
    Release(
        distro='win2k16',
        title='Windows Server 2016',
        nt='10.0',
        versions=('2016',),
    ),
    Release(
        distro='win2k19',
        title='Windows Server 2019',
        nt='10.0',
        versions=('2019',),
    ),
    Release(
        distro='win2k22',
        title='Windows Server 2022',
        nt='10.0',
        versions=('2022',),
    ),
    Release(distro='win11', title='Windows 11', nt='10.0', versions=('11',)),
    Release(
        distro='win2k25',
        title='Windows Server 2025',
        nt='10.0',
        versions=('2025',),
    ),
)

_ALL = frozenset(enlightenments.ENLIGHTENMENTS)

RULES = (
    Rule(
        nt=('5.0', '5.1', '5.2'),
        removes=_ALL - profiles.PROFILES['minimal'].features,
        text='Windows 2000, XP and Server 2003 know nothing of it',
        ref=(
            'QEMU docs/system/i386/hyperv.rst',
            "Proxmox VE's table starts at Windows Vista",
        ),
    ),
    Rule(
        nt=('6.0',),
        # With synic goes all that requires it.
        removes=frozenset(graph.dependents(('relaxed', 'synic', 'ipi'), None)),
        text='Windows Vista and Server 2008 came before it',
        ref=(
            "Proxmox VE's table: these from Windows 7 on, vapic, spinlocks "
            'and hypervclock from Vista on',
        ),
    ),
    Rule(
        nt=('6.1',),
        firmware='uefi',
        removes=_ALL,
        text='Windows 7 and Server 2008 R2 hang on UEFI with enlightenments',
        ref=(
            'https://bugs.launchpad.net/qemu/+bug/1456819',
            "Proxmox VE's table: no Hyper-V for OVMF before Windows 8",
        ),
    ),
)


def _fold(version: str) -> str:
    """Fold the spellings of ``os_version``: "Server 2012 R2" is 2012r2."""
    folded = version.lower()
    for word in ('windows', 'server', ' ', '-', '_'):
        folded = folded.replace(word, '')
    return folded


_BY_DISTRO = {release.distro: release for release in RELEASES}
_BY_VERSION = {
    **{release.nt: release for release in RELEASES},
    **{
        version: release
        for release in RELEASES
        for version in release.versions
    },
}


# The longest first: 2012r2 before 2012. An edition, a service pack or a build
# may follow, but no further digit of the same number.
_VERSION = re.compile(
    '({})(?![0-9])'.format(
        '|'.join(
            re.escape(version)
            for version in sorted(_BY_VERSION, key=len, reverse=True)
        )
    )
)


def _by_version(folded: str) -> Release | None:
    match = _VERSION.match(folded)
    return _BY_VERSION[match[1]] if match else None


def is_windows(distro: str | None) -> bool:
    """Whether an ``os_distro`` names Windows."""
    folded = (distro or '').lower()
    return folded == ANY or folded in _BY_DISTRO


def find(distro: str | None, version: str | None) -> Release | None:
    """Return the release that an image names, None where it is not known.

    Releases that share a kernel's version share their rules; by that
    version alone any one of them is found.

    :param distro: the image's ``os_distro``.
    :param version: the image's ``os_version``.
    """
    folded = (distro or '').lower()
    if folded == ANY:
        return _by_version(_fold(version or ''))
    return _BY_DISTRO.get(folded)


def rule_for(release: Release | None, firmware: str) -> Rule | None:
    """Return the rule that speaks of a release, if there is one.

    :param release: as :func:`find` returned it.
    :param firmware: ``uefi`` or ``bios``.
    """
    if release is None:
        return None
    for rule in RULES:
        if release.nt in rule.nt and rule.firmware in (None, firmware):
            return rule
    return None
