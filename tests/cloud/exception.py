# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with the cloud, one class for each remedy."""


class CloudError(Exception):
    """The base of everything that the cloud raises by design."""

    msg_fmt = 'The cloud failed.'

    def __init__(self, **kwargs: object) -> None:
        self.kwargs = kwargs
        super().__init__(self.msg_fmt % kwargs)


class NotRoot(CloudError):
    """Only root may make namespaces and run libvirtd."""

    msg_fmt = 'The cloud needs root: its libvirtd and its namespaces do.'


class ProgramMissing(CloudError):
    """A program that the cloud calls is not on this machine."""

    msg_fmt = (
        "The cloud needs '%(program)s', which is not here; install the "
        "Debian package '%(package)s' (bindep.txt lists all of them under "
        "'cloud')."
    )


class PortInUse(CloudError):
    """Somebody else listens where a service of the cloud should."""

    msg_fmt = (
        'Port %(port)d of 127.0.0.1, for %(name)s, is in use; name other '
        'ports with --first-port.'
    )


class ServiceFailed(CloudError):
    """A service ended, or did not answer in time.

    :ivar name: the service.
    :ivar log: path of its log.
    """

    msg_fmt = '%(name)s %(reason)s (%(said)s); its log is %(log)s.'


class NotThere(CloudError):
    """No cloud is up for this process."""

    msg_fmt = (
        'There is no cloud here: run this by "python -m tests.cloud -- '
        'COMMAND".'
    )
