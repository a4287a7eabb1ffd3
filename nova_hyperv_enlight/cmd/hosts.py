# SPDX-License-Identifier: Apache-2.0

"""The host that a command asks: by a connection or a saved document."""

import argparse
import dataclasses
import functools
import pathlib
import socket
import typing
import urllib.parse

from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.cmd import arguments
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import assumed
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.host import probe

#: The versioned machine types that an alias stands for, by their beginning.
_SERIES = {'pc': 'pc-i440fx-', 'q35': 'pc-q35-', 'virt': 'virt-'}


def read_host(
    parsed_args: argparse.Namespace,
    arch: str | None = None,
    machine: str | None = None,
) -> capabilities.HostCapabilities:
    """Return the capabilities of the host that the arguments name.

    :param arch: a guest's own architecture, before the argument's.
    :param machine: a guest's own machine type, before the argument's.
    :raises CannotConnect: libvirt does not answer.
    :raises InvalidRequest: arguments do not go together, or not with the
        saved document.
    :raises MalformedDocument: the saved document cannot be read.
    """
    if parsed_args.domcaps:
        saved = read_saved(
            parsed_args,
            parsed_args.arch or arguments.ARCH,
            parsed_args.virt_type or arguments.VIRT_TYPE,
        )
        _check_saved(parsed_args, saved)
        return evaluation.evaluate(saved)
    for option, own in (('arch', arch), ('machine', machine)):
        given = getattr(parsed_args, option)
        if own and given and own != given:
            raise exception.InvalidRequest(
                reason=f'--{option} is {given}, and the guest has {own}.'
            )
    _refuse_releases(parsed_args)
    connection, local = connect(parsed_args.connect)
    try:
        source = probe.Probe(
            lambda: connection, kvm.ask if local else kvm.KernelFacts
        )
        return source.capabilities(
            arch or parsed_args.arch or arguments.ARCH,
            machine or parsed_args.machine,
            parsed_args.virt_type or arguments.VIRT_TYPE,
        )
    finally:
        connection.close()


def _refuse_releases(parsed_args: argparse.Namespace) -> None:
    """Refuse releases by argument: the connection tells its own.

    :raises InvalidRequest: one is there.
    """
    for option in ('libvirt_version', 'qemu_version'):
        if getattr(parsed_args, option) is not None:
            raise exception.InvalidRequest(
                reason=(
                    f'--{option.replace("_", "-")} goes with --domcaps only: '
                    'a connection tells the releases of its host.'
                )
            )


def check_guests(parsed_args: argparse.Namespace, files: bool) -> None:
    """Refuse arguments about the host that do not go with the guests.

    :param files: whether the guests are files.
    :raises InvalidRequest: with the arguments.
    """
    if files and parsed_args.connect and parsed_args.domcaps:
        raise exception.InvalidRequest(
            reason=(
                "Name a file's host by --connect or by --domcaps, not by both."
            )
        )
    # Of a file without a host they are all that is known of one.
    if not parsed_args.domcaps and (parsed_args.connect or not files):
        _refuse_releases(parsed_args)


def _check_saved(
    parsed_args: argparse.Namespace, saved: capabilities.Sources
) -> None:
    """Refuse arguments that contradict a saved document.

    :raises InvalidRequest: one does.
    """
    for option in ('arch', 'machine', 'virt_type'):
        given = getattr(parsed_args, option)
        found: str | None = getattr(saved, option)
        if given is None or found is None or given == found:
            continue
        series = _SERIES.get(given)
        if option == 'machine' and series and found.startswith(series):
            continue
        raise exception.InvalidRequest(
            reason=(
                f'--{option.replace("_", "-")} is {given}, and '
                f'{parsed_args.domcaps} is about {found}: leave the argument '
                'out, or name the document of that kind of guest.'
            )
        )


def read_saved(
    parsed_args: argparse.Namespace,
    arch: str = arguments.ARCH,
    virt_type: str = arguments.VIRT_TYPE,
) -> capabilities.Sources:
    """Return what a saved document says; its host's kernel is not here.

    :param arch: the architecture, where the document does not name it.
    :param virt_type: the domain type, where the document does not name it.
    :raises MalformedDocument: it cannot be read.
    """
    path = pathlib.Path(parsed_args.domcaps)
    try:
        caps = domaincaps.parse(path.read_bytes())
    except OSError as err:
        raise exception.MalformedDocument(
            document=path, reason=err.strerror
        ) from err
    return capabilities.Sources(
        virt_type=caps.virt_type or virt_type,
        arch=caps.arch or arch,
        machine=caps.machine,
        libvirt=parsed_args.libvirt_version,
        qemu=parsed_args.qemu_version,
        domcaps=caps,
    )


def connect(uri: str, read_only: bool = False) -> tuple[typing.Any, bool]:
    """Open a connection.

    :param uri: libvirt's name for it.
    :param read_only: domainCapabilities are refused on such a one.
    :returns: the connection, and whether it is to a QEMU on this machine,
        so that this machine's kernel may be asked.
    """
    try:
        # Imported here: the program works on saved documents without it.
        import libvirt
    except ImportError as err:
        raise exception.CannotConnect(
            uri=uri, reason='the Python package libvirt-python is missing'
        ) from err
    # Errors are raised as well; libvirt would print each of them too.
    libvirt.registerErrorHandler(lambda *_: None, None)
    # The embedded driver wants an event loop to be there.
    libvirt.virEventRegisterDefaultImpl()
    try:
        opener = libvirt.openReadOnly if read_only else libvirt.open
        connection = opener(uri)
        local = (
            urllib.parse.urlsplit(uri).hostname is None
            and connection.getType() == 'QEMU'
        )
    except libvirt.libvirtError as err:
        raise exception.CannotConnect(uri=uri, reason=err) from err
    return connection, local


def asked_host(
    connection: typing.Any, local: bool
) -> capabilities.CapabilitiesOf:
    """Ask the host of a connection.

    :param connection: the connection, which may be written to.
    :param local: whether this machine's kernel is the host's.
    """
    asked = probe.Probe(
        lambda: connection, kvm.ask if local else kvm.KernelFacts
    )
    return asked.capabilities


def name_of(uri: str) -> str:
    """Return the name of the host of a connection."""
    return urllib.parse.urlsplit(uri).hostname or socket.gethostname()


def saved_host(saved: capabilities.Sources) -> capabilities.CapabilitiesOf:
    """Take a saved document for the answer about every machine type."""

    @functools.cache
    def capabilities_of(
        arch: str, machine: str | None, virt_type: str
    ) -> capabilities.HostCapabilities:
        return evaluation.evaluate(
            dataclasses.replace(saved, arch=arch, virt_type=virt_type)
        )

    return capabilities_of


def assumed_host(
    named: frozenset[str],
    libvirt: model.Version | None = None,
    qemu: model.Version | None = None,
) -> capabilities.CapabilitiesOf:
    """Take for granted what needs no particular host, and what is named.

    :param named: names that the operator turns on.
    :param libvirt: its release, None where it is not known.
    :param qemu: its release, None where it is not known.
    """

    def capabilities_of(
        arch: str, machine: str | None, virt_type: str
    ) -> capabilities.HostCapabilities:
        # What it says of itself rules out enough.
        host = evaluation.evaluate(
            capabilities.Sources(
                virt_type=virt_type,
                arch=arch,
                machine=machine,
                libvirt=libvirt,
                qemu=qemu,
            )
        )
        granted = assumed.portable(host)
        if granted:
            granted |= graph.closure(named)
        return assumed.offering(host, granted, 'the host was not asked')

    return capabilities_of
