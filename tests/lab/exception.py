# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with the lab, one class for each remedy."""


class LabError(Exception):
    """The base of everything that the lab raises by design."""

    msg_fmt = 'The lab failed.'

    def __init__(self, **kwargs: object) -> None:
        self.kwargs = kwargs
        super().__init__(self.msg_fmt % kwargs)


class ToolMissing(LabError):
    """A program that the lab calls is not on this machine."""

    msg_fmt = (
        "The lab needs the program '%(tool)s', which is not in PATH; install "
        "the Debian package '%(package)s'."
    )


class PackageMissing(LabError):
    """apt does not know, or cannot fetch, a package."""

    msg_fmt = (
        "The lab cannot get the Debian package '%(package)s' (%(reason)s); "
        "%(remedy)s."
    )


class ImageError(LabError):
    """The packages do not hold what the lab's image is made of."""

    msg_fmt = (
        "The lab cannot build its image from '%(package)s': %(reason)s; look "
        "at the package's content in %(path)s."
    )


class InvalidSpec(LabError):
    """The caller asked for a machine that cannot be."""

    msg_fmt = 'The lab cannot be made like that: %(reason)s.'


class MachineError(LabError):
    """A machine that was started did not give a result.

    :ivar console: path of the console's log.
    """

    def __init__(self, *, console: object, **kwargs: object) -> None:
        self.console = console
        super().__init__(console=console, **kwargs)


class MachineSilent(MachineError):
    """Neither the command nor the console has written for too long."""

    msg_fmt = (
        'The lab was killed after %(silence)g s without a word, while '
        '%(phase)s; the console is in %(console)s; if it has nothing to say '
        'for so long, give it a longer silence.'
    )


class KernelPanic(MachineError):
    """The lab's kernel panicked."""

    msg_fmt = (
        "The lab's kernel panicked (%(reason)s) while %(phase)s; read the "
        'trace in %(console)s.'
    )


class MachineDied(MachineError):
    """QEMU ended and no exit status had come back."""

    msg_fmt = (
        'The lab ended (QEMU said %(status)d) without an exit status of the '
        'command, while %(phase)s: %(reason)s; read the console in '
        "%(console)s and QEMU's own words beside it."
    )
