# SPDX-License-Identifier: Apache-2.0

"""Audits a document as if it were a Windows guest of a host."""

import dataclasses

from nova_hyperv_enlight.cmd import hosts
from nova_hyperv_enlight.domains import audit
from nova_hyperv_enlight.policy import settings
from tests.corpus import findings

COMMAND = 'domain audit'
_NAME = 'the guest'


@dataclasses.dataclass(frozen=True, slots=True)
class _Guest:
    """What the audit asks of libvirt's virDomain."""

    text: str

    def name(self):
        return _NAME

    def isActive(self):
        return 0

    def XMLDesc(self, flags=0):
        return self.text


def check(text):
    """Yield what is wrong with the audit of a domain."""

    def audited():
        auditor = audit.Auditor(
            settings.Settings(), hosts.assumed_host(frozenset()), (_NAME,)
        )
        return auditor.audit(_Guest(text))

    try:
        if audited() != audited():
            yield findings.Kind.UNSTABLE, COMMAND, 'twice is not the same'
    except Exception as err:
        yield findings.Kind.CRASH, COMMAND, repr(err)
