# SPDX-License-Identifier: Apache-2.0

"""Proxmox VE's CPU flags: ``flags=+hv-tlbflush;+hv-evmcs``.

In the ``cpu:`` line of a guest, in a custom CPU model, or by themselves; and
what a guest's ``ostype`` brings. https://github.com/proxmox/qemu-server:
src/PVE/QemuServer/CPUConfig.pm, get_cpu_options and
get_hyperv_enlightenments, as of machine type 3.1 and later.
"""

import re

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.notation import qemu
from nova_hyperv_enlight.notation import statement

NAME = 'proxmox'

_FLAGS, _VENDOR_ID = 'flags', 'hv-vendor-id'
_PASSTHROUGH = 'hv-passthrough'
#: The flags that a guest's own line may hold; a custom model any.
GUEST_FLAGS = ('hv-tlbflush', 'hv-evmcs')
_VENDOR = '[a-zA-Z0-9]{1,12}'
#: What Proxmox gives a Windows guest of itself.
_VISTA = ('spinlocks', 'vapic', 'hypervclock', 'reset', 'vpindex', 'runtime')
_SEVEN = (*_VISTA, 'relaxed', 'synic', 'stimer', 'ipi')
OSTYPES = {
    'w2k8': _VISTA,
    'wvista': _VISTA,
    'win7': _SEVEN,
    'win8': _SEVEN,
    'win10': _SEVEN,
    'win11': _SEVEN,
}
# They are older than Windows 8, and hang with UEFI.
_HANG = ('w2k8', 'wvista', 'win7')
# hv_spinlocks=0x1fff
_RETRIES = '8191'
_LINE = re.compile(r'^([a-z][a-z0-9-]*):(.*)$', re.MULTILINE)
_MODEL_LINE = re.compile(
    rf'^[ \t]+({_FLAGS}|{_VENDOR_ID})[ \t]+(\S+)', re.MULTILINE
)
_KEYS = ('cpu', 'ostype', 'bios', 'args', 'cpu-model', 'kvm', 'machine')
_CUSTOM = 'custom-'
#: A device that is the guest's own graphics: PVE/QemuServer/PCI.pm, x-vga.
_HOSTPCI = re.compile('hostpci[0-9]+')
_XVGA = 'x-vga'
#: The vendor that such a guest has by default.
_XVGA_VENDOR = 'proxmox'
_TRUE = ('1', 'on', 'yes', 'true')
_FALSE = ('0', 'off', 'no', 'false')
#: Machine types from which on Windows 11 has evmcs, on Intel hosts:
#: PVE/QemuServer/Machine.pm.
_EVMCS = (11, 0, 2)
_MACHINE = re.compile(r'-([0-9]+)[.]([0-9]+)(?:[.][0-9]+)?(?:[+]pve([0-9]+))?')
_LIST = re.compile(r'[+-][\w.-]+(;[+-][\w.-]+)*')


def recognises(text: str) -> bool:
    """Whether a text looks like this notation."""
    if statement.is_document(text):
        return False
    return bool(
        re.search(
            rf'^(cpu|cpu-model|ostype|bios|args):\s|(^|[\s,]){_FLAGS}[=\s]|'
            r'^[+-][^;,\n]*;',
            text,
            re.MULTILINE,
        )
    )


def _version(machine: str) -> tuple[int, int, int] | None:
    """Return the version of a machine type, None where it has none."""
    match = _MACHINE.search(machine)
    if match is None:
        return None
    return int(match[1]), int(match[2]), int(match[3] or 0)


class _Reader:
    """One text, while it is read."""

    def __init__(self) -> None:
        self.collector = statement.Collector(NAME)
        self.aside: list[str] = []
        self.losses: list[statement.Loss] = []
        self._vendor_ids: list[str] = []

    def flags(self, text: str) -> None:
        for flag in filter(None, text.split(';')):
            key = flag[1:].replace('_', '-')
            if flag[0] not in '+-':
                raise self.collector.error(
                    f'{statement.quote(flag)} begins with neither + nor -'
                )
            if key == _PASSTHROUGH:
                if flag[0] == '+':
                    self.collector.mode = profiles.Mode.PASSTHROUGH
            elif key in qemu.FOREIGN:
                if flag[0] == '+':
                    self.losses.append(
                        statement.Loss(word=flag, reason=qemu.FOREIGN[key])
                    )
            elif key in qemu.SWITCHES:
                self.collector.switch(qemu.SWITCHES[key], flag[0] == '+')
            elif key.startswith('hv-'):
                raise self.collector.error(
                    f'{statement.quote(flag)} is not known; there are '
                    f'{", ".join(qemu.SWITCHES)}'
                )
            else:
                self.aside.append(flag)

    def cpu(self, text: str) -> None:
        """Read a property string: ``host,flags=+hv-evmcs``."""
        for item in filter(None, text.split(',')):
            key, equals, value = item.partition('=')
            if key == _FLAGS:
                self.flags(value)
            elif key == _VENDOR_ID:
                self._vendor_ids.append(value)
            elif _LIST.fullmatch(item):
                self.flags(item)
            elif qemu.recognises(item):
                raise self.collector.error(
                    f'{statement.quote(item)} is not known; flags are '
                    f'{_FLAGS}=+NAME;-NAME'
                )
            else:
                self.aside.append(item)

    def boolean(self, key: str, text: str) -> bool:
        if text.lower() not in (*_TRUE, *_FALSE):
            raise self.collector.error(f'{key} is neither 0 nor 1')
        return text.lower() in _TRUE

    def vendor_ids(self) -> None:
        """Collect the vendor that was named."""
        for text in self._vendor_ids:
            self.collector.switch('vendor_id', True)
            self.collector.give('vendor_id', text)

    def _why_none(self, of: dict[str, str]) -> str | None:
        """Return why a guest is given nothing, None if it is."""
        if not self.boolean('kvm', of.get('kvm', '1')):
            return 'without kvm Proxmox gives none'
        if of.get('bios') == 'ovmf' and of['ostype'] in _HANG:
            return f'Proxmox gives none to {of["ostype"]} with ovmf'
        if of['ostype'] not in OSTYPES:
            return 'Proxmox gives none to other guests than Windows'
        return None

    def ostype(self, of: dict[str, str]) -> None:
        """Add what Proxmox gives by itself; the flags override it.

        :param of: a guest's lines, by their keys.
        """
        why_none = self._why_none(of)
        if why_none is not None:
            self.losses.extend(
                statement.Loss(word=f'{_VENDOR_ID}={text}', reason=why_none)
                for text in self._vendor_ids
            )
            return
        if any(map(self.is_graphics, of.items())) and not self._vendor_ids:
            self._vendor_ids.append(_XVGA_VENDOR)
        self.vendor_ids()
        ostype = of['ostype']
        for name in OSTYPES[ostype]:
            self.collector.assume(name)
        machine = _version(of.get('machine', ''))
        if ostype == 'win11' and (machine is None or machine >= _EVMCS):
            self.losses.append(
                statement.Loss(
                    word=f'ostype: {ostype}',
                    reason=(
                        'on Intel hosts Proxmox turns evmcs on for it, from '
                        'machine type 11.0+pve2 on'
                    ),
                )
            )

    def is_graphics(self, line: tuple[str, str]) -> bool:
        """Whether a line gives a guest its graphics device."""
        key, value = line
        if not _HOSTPCI.fullmatch(key):
            return False
        options = dict(
            each.split('=', 1) for each in value.split(',') if '=' in each
        )
        return self.boolean(f'{_XVGA} of {key}', options.get(_XVGA, '0'))

    def configuration(self, text: str) -> None:
        """Read lines: a guest's, of which the current state, or a model's."""
        current = re.split(r'^\[', text, maxsplit=1, flags=re.MULTILINE)[0]
        lines = _LINE.findall(current)
        keys = [key for key, _ in lines]
        for key in _KEYS:
            if keys.count(key) > 1:
                raise self.collector.error(f'{key} is there twice')
        of = {key: value.strip() for key, value in lines}
        self.cpu(of.get('cpu', ''))
        for key, value in _MODEL_LINE.findall(current):
            self.cpu(f'{key}={value}')
        if 'ostype' in of:
            self.ostype(of)
        else:
            # A part of a guest, or a model.
            self.vendor_ids()
        cpu = of.get('cpu', '').partition(',')[0].removeprefix('cputype=')
        if cpu.startswith(_CUSTOM):
            self.losses.append(
                statement.Loss(
                    word=f'cpu: {cpu}',
                    reason='what this model holds is in cpu-models.conf',
                )
            )
        if qemu.recognises(of.get('args', '')):
            self.losses.append(
                statement.Loss(
                    word=f'args: {of["args"]}', reason='read it as qemu'
                )
            )


def read(text: str) -> statement.Reading:
    """Read a guest's configuration, a CPU model, or flags by themselves.

    :raises MalformedDocument: a flag that is not known, or a value that is
        not allowed.
    """
    reader = _Reader()
    if _LINE.search(text):
        reader.configuration(text)
    else:
        reader.cpu(text.strip())
        reader.vendor_ids()
    reader.collector.default('spinlocks', _RETRIES)
    return statement.Reading(
        selection=reader.collector.selection(),
        aside=tuple(reader.aside),
        losses=tuple(reader.losses),
    )


def _why_not(said: statement.Statement) -> str | None:
    """Return why a flag cannot say something, None if it can.

    What is off cannot go without saying: an ``ostype`` brings some of it.
    """
    value = said.entry.value
    if value is None:
        return None
    if isinstance(value, model.IntegerValue):
        return (
            f'a flag has no value; a Windows ostype brings {said.entry.name} '
            f'with {_RETRIES}'
        )
    if not said.on:
        return f'Proxmox has no off for it, and gives it with {_XVGA}'
    if not re.fullmatch(_VENDOR, said.value or ''):
        return 'Proxmox takes 1 to 12 letters and digits'
    return None


def write(selection: selections.Selection) -> statement.Writing:
    """Write the properties of a CPU model."""
    flags, losses, properties = [], [], []
    for said in statement.statements(selection):
        reason = _why_not(said)
        if reason is not None:
            losses.append(statement.Loss(word=said.word, reason=reason))
        elif said.value is not None:
            properties.append(f'{_VENDOR_ID}={said.value}')
        else:
            flags.append(('+' if said.on else '-') + said.entry.qemu_flag)
    passthrough = selection.mode is profiles.Mode.PASSTHROUGH
    if passthrough:
        flags.append(f'+{_PASSTHROUGH}')
    losses.extend(
        statement.Loss(word=word, reason='Proxmox has no name for it')
        for word in statement.extras(selection)
        if not (passthrough and word.startswith(statement.MODE))
    )
    if flags:
        properties.insert(0, f'{_FLAGS}={";".join(flags)}')
    beyond = [flag for flag in flags if flag[1:] not in GUEST_FLAGS]
    return statement.Writing(
        text=','.join(properties),
        losses=tuple(losses),
        notes=(
            (
                f"A guest's own cpu line takes {' and '.join(GUEST_FLAGS)} "
                'only; the other flags are for a custom CPU model, or come '
                'with the ostype.',
            )
            if beyond
            else ()
        ),
    )
