# SPDX-License-Identifier: Apache-2.0

"""What can go wrong, one class for each thing a caller could do about it."""

import typing


def printable(text: str) -> str:
    """Return a text with what is not printable escaped, as Python does.

    Tenants choose texts that end up in logs and on terminals: a line break
    would begin a line of its own there, and an escape sequence do worse.
    """
    if text.isprintable():
        return text
    return ''.join(
        character
        if character.isprintable()
        else character.encode('unicode_escape').decode('ascii')
        for character in text
    )


class EnlightException(Exception):
    """The base of all exceptions of this package.

    What reaches a server's fault is read by a tenant, so a class
    names the part that a tenant may read. The rest is for the log.

    :cvar msg_fmt: the message; its fields are the keyword arguments.
    :cvar tenant_fmt: what a tenant may read of it, with the same fields.
    :ivar for_tenants: that text of this exception.
    """

    msg_fmt = 'Hyper-V enlightenments: %(reason)s'
    tenant_fmt = 'Hyper-V enlightenments: the log of nova-compute has more.'

    def __init__(self, **kwargs: typing.Any) -> None:
        super().__init__(self.msg_fmt % kwargs)
        self.for_tenants = self.tenant_fmt % kwargs


class InvalidOption(EnlightException):
    """An option of nova.conf cannot be used: the operator must change it."""

    msg_fmt = '[hyperv_enlight] %(option)s: %(reason)s'


class HookLoadError(EnlightException):
    """A hook of ``[hyperv_enlight] hooks`` cannot be loaded."""

    msg_fmt = '[hyperv_enlight] hooks: %(hook)s cannot be loaded: %(reason)s'


class HookError(EnlightException):
    """A hook failed on one guest.

    An error of a third-party hook may hold anything: paths, tokens.
    """

    msg_fmt = 'The guest config hook %(hook)s failed: %(reason)s'
    tenant_fmt = 'The guest config hook %(hook)s failed.'


class InvalidRequest(EnlightException):
    """A flavor or an image asks for what no host can give.

    The same request fails on each host: a wrong name or value, a property
    that the operator does not allow, or two overrides that exclude each other.
    The message is one line of printable text, whatever was asked for.
    """

    msg_fmt = tenant_fmt = '%(reason)s'

    def __init__(self, **kwargs: typing.Any) -> None:
        super().__init__(
            **{key: printable(str(value)) for key, value in kwargs.items()}
        )


class HostCannotDeliver(EnlightException):
    """This host lacks what was asked for explicitly; another may have it.

    :param reason: what it lacks, a sentence.
    :param evidence: what of the host says so, which tenants do not read.
        It continues the sentence after a colon; neither has a full stop
        then.
    """

    msg_fmt = '%(reason)s%(evidence)s'
    tenant_fmt = '%(reason)s%(end)s'

    def __init__(self, reason: str, evidence: str = '') -> None:
        super().__init__(
            reason=reason,
            evidence=f': {evidence}.' if evidence else '',
            end='.' if evidence else '',
        )


class MalformedDocument(EnlightException):
    """A document is not the XML that it should be."""

    msg_fmt = '%(document)s cannot be read: %(reason)s'


class UnknownRecord(EnlightException):
    """A recorded set is of a version that this release does not read."""

    msg_fmt = 'The recorded set is of version %(version)s, which is not known'


class VerifyError(EnlightException):
    """What was written does not read back as what was meant."""

    msg_fmt = (
        'The XML that was written reads back differently: wanted '
        '%(wanted)s, found %(found)s'
    )


class CannotConnect(EnlightException):
    """The connection to libvirt cannot be opened."""

    msg_fmt = 'No connection to libvirt at %(uri)s: %(reason)s'


class CloudError(EnlightException):
    """A cloud cannot be asked."""

    msg_fmt = 'The cloud %(cloud)s cannot be asked: %(reason)s'


class GuestFailed(EnlightException):
    """A guest that was to be looked at could not be started or read.

    :ivar reason: why.
    :ivar refused: libvirt or QEMU would not start it.
    """

    msg_fmt = 'The guest could not be verified: %(reason)s'

    def __init__(self, refused: bool = False, **kwargs: typing.Any) -> None:
        super().__init__(**kwargs)
        self.reason = str(kwargs['reason'])
        self.refused = refused


class CannotBackUp(EnlightException):
    """What is there cannot be kept in a file, so it is not changed."""

    msg_fmt = (
        'The XML of %(name)s cannot be saved in %(directory)s, so it is not '
        'changed: %(reason)s'
    )


class CannotWrite(EnlightException):
    """A file cannot be written; it is as it was."""

    msg_fmt = '%(path)s cannot be written: %(reason)s'


class NotDefined(EnlightException):
    """A domain has not got what was to be defined."""

    msg_fmt = 'The domain %(domain)s was not redefined: %(reason)s'


class Interrupted(EnlightException):
    """Somebody wants it to stop; what it had made is gone again."""

    msg_fmt = '%(what)s was interrupted'
