# SPDX-License-Identifier: Apache-2.0

"""Images of tenants who mean no good, and what must hold for each of them."""

import dataclasses
import types

from lxml import etree

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.catalogue import windows
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit.catalogue import facts
from tests.unit.policy import cases

#: What Nova's database holds of a name or a value.
MAX_LENGTH = 255

_WORDS = [
    word.replace('.', '_')
    for word in ('profile', *cases.NAMES, *enlightenments.VALUES)
]
_OURS = [request.PROPERTY_PREFIX + word for word in _WORDS]
#: What Nova and this package read besides.
_NOVAS = [
    'os_type',
    'os_distro',
    'os_version',
    'hw_firmware_type',
    'hw_cpu_policy',
    'img_hide_hypervisor_id',
    'hyperv_enlight',
    'old_hyperv_enlight',
    'hyperv_enlight_',
]
# The same to an eye, or to a careless comparison.
_LOOK_ALIKE = (
    str.upper,
    str.title,
    lambda word: word.replace('_', '.'),
    lambda word: word.replace('_', '-'),
    lambda word: word.replace('_', ':', 2),
    lambda word: word.replace('e', '\N{CYRILLIC SMALL LETTER IE}'),
    lambda word: word.replace('i', '\N{LATIN SMALL LETTER DOTLESS I}'),
    lambda word: word + '\0',
    lambda word: word + ' ',
    lambda word: '\N{ZERO WIDTH SPACE}' + word,
    lambda word: 'image_' + word,
    lambda word: word + '\n',
    lambda word: word.replace('hyperv_enlight_', 'hyperv_enlight__'),
    lambda word: word + 'x' * MAX_LENGTH,
)
#: Values that are fine somewhere, and values that have hurt others.
VALUES = (
    *('on', 'off', '4095', '8191', '4294967295', 'KVM Hv', 'true', 'uefi'),
    *('dedicated', 'auto', '', ' ', '\0', 'on\0', 'on\n', 'On', 'ON', ' on'),
    '\N{FULLWIDTH LATIN SMALL LETTER O}\N{FULLWIDTH LATIN SMALL LETTER N}',
    *('4094', '4294967296', '-1', '+8191', '08191', '8_191', '8191 ', '1e4'),
    *('0x1fff', '9' * MAX_LENGTH, '0' * MAX_LENGTH, '1' + '0' * 254, 'nan'),
    '\N{ARABIC-INDIC DIGIT EIGHT}\N{ARABIC-INDIC DIGIT ONE}91',
    '\N{SUPERSCRIPT TWO}' * 4,
    *('%s%s%s%n', '%(reason)s', '%(uuid)d', '{0.__class__}', '{reason}'),
    '${jndi:ldap://x/}',
    *('"/><evil x="', "'/><evil/>", ']]>', '<!ENTITY x "y">', '&lt;&#0;'),
    *('a,b', 'x,hv-evmcs', 'x\\,y', 'A' * 12, 'A' * 13, 'A' * MAX_LENGTH),
    *('../../etc/passwd', '; reboot', '$(reboot)', '`reboot`', "' OR 1=1 --"),
    'x\n2026-01-01 00:00:00.000 1 INFO nova.compute.manager all is well',
    '\r\x1b[2J\x1b[1;31mowned',
    '\N{RIGHT-TO-LEFT OVERRIDE}no',
    '\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}\x85',
    *('\ufeffon', '\ufffe', '\ud800', '\udfff', '\U0010ffff', '\U0001f4a9'),
    'e' + '\N{COMBINING ACUTE ACCENT}' * 254,
    *profiles.PROFILES,
    *('slow', 'fast'),
    *(release.distro for release in windows.RELEASES),
    'windows',
    'win2\N{KELVIN SIGN}22',
)  # fmt: skip

KNOWN = types.MappingProxyType(
    {
        **profiles.PROFILES,
        **{
            name: profiles.Profile(
                name=name,
                features=cases.BASELINE,
                values=(('spinlocks.retries', retries),),
                summary='The baseline with another value.',
            )
            for name, retries in (('slow', '4294967295'), ('fast', '4095'))
        },
    }
)
#: What operators may have set.
SETTINGS = (
    settings.Settings(),
    settings.Settings(image_overridable=frozenset()),
    settings.Settings(image_overridable=frozenset({'synic', 'vendor_id'})),
    settings.Settings(
        profile='nested',
        image_overridable=frozenset({'stimer', 'vapic', 'spinlocks'}),
        spinlock_retries='auto',
    ),
    settings.Settings(
        profile='minimal',
        image_overridable=cases.ALL,
        force_on=('runtime',),
        force_off=('ipi',),
    ),
    settings.Settings(profile='host-model', image_overridable=cases.BASELINE),
    # Profiles that differ from the default one by a value alone, with which
    # an old libvirt refuses what would be on without the image's demands.
    settings.Settings(
        profile='slow', known_profiles=KNOWN, image_overridable=frozenset()
    ),
    settings.Settings(
        profile='slow',
        known_profiles=KNOWN,
        image_overridable=frozenset({'spinlocks', 'synic'}),
    ),
    settings.Settings(
        spinlock_retries='4294967295',
        image_overridable=frozenset({'spinlocks', 'synic'}),
    ),
)
HOSTS = (
    cases.HOST,
    cases.make_host(
        cases.BASELINE, vendor=cases.AMD, libvirt=(9, 0, 0), tsc_frequency=None
    ),
    cases.make_host(frozenset()),
    cases.make_host(
        frozenset(), unknown=cases.NAMES, vendor=None, libvirt=None
    ),
)
_TAGS = {
    hyperv.HYPERV,
    'timer',
    *(entry.element for entry in enlightenments.ENLIGHTENMENTS.values()),
}
_MAX_MESSAGE = 2000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """An image on a host.

    :ivar properties: the image's.
    """

    properties: dict[str, str]
    conf: settings.Settings
    host: object


class _Bytes:
    """Makes choices by the bytes of a text that a fuzzer has made."""

    def __init__(self, data):
        self._data = data

    def __bool__(self):
        return bool(self._data)

    def number(self):
        number, self._data = self._data[:1], self._data[1:]
        return number[0] if number else 0

    def any_of(self, things):
        return things[self.number() % len(things)]

    def text(self):
        length = self.number()
        taken, self._data = self._data[:length], self._data[length:]
        return taken.decode('utf-8', 'surrogateescape')


def _name(source):
    kind = source.number() % 8
    if kind < 3:
        return source.any_of(_OURS)
    if kind == 3:
        return source.any_of(_NOVAS)
    if kind == 4:
        return source.any_of(_LOOK_ALIKE)(source.any_of(_OURS))[:MAX_LENGTH]
    if kind == 5:
        return request.PROPERTY_PREFIX + source.text()
    return source.text()


def _value(source):
    kind = source.number() % 4
    if kind == 0:
        return source.any_of(('on', 'off'))
    if kind == 1:
        return source.text()
    return source.any_of(VALUES)


def read(data):
    """Return the case that some bytes stand for; any bytes stand for one."""
    source = _Bytes(data)
    conf, host = source.any_of(SETTINGS), source.any_of(HOSTS)
    properties = {}
    while source:
        properties[_name(source)] = _value(source)
    return Case(properties=properties, conf=conf, host=host)


def decide(case, properties):
    """Decide, without the memory of former decisions."""
    asked = request.from_properties(
        os_type='windows',
        extra_specs={},
        image_properties=properties,
        nested=True,
    )
    return resolve.resolve.__wrapped__(case.conf, asked, case.host)


def check(case):
    """Check all that must hold.

    :returns: the decision, None where the image is refused.
    :raises AssertionError: something does not hold.
    """
    foreign = {
        key: value
        for key, value in case.properties.items()
        if not key.startswith(request.PROPERTY_PREFIX)
    }
    try:
        without = decide(case, foreign)
    except exception.HostCannotDeliver:
        without = None  # What the operator forces on.
    try:
        decided = decide(case, case.properties)
    except (exception.InvalidRequest, exception.HostCannotDeliver) as err:
        _check_refusal(str(err))
        # Nobody is refused for what is not ours.
        ours = case.properties.keys() > foreign.keys()
        assert ours or without is None, str(err)
        return None
    if without is None:
        _check_reach(case)
        return decided
    if decided.acts != without.acts:
        # The one that does not is Nova's own list.
        assert cases.BASELINE <= case.conf.image_overridable
        return decided
    switched = decided.selection.features ^ without.selection.features
    switched |= decided.selection.off ^ without.selection.off
    switched |= {
        name.partition('.')[0]
        for name, _ in decided.selection.values ^ without.selection.values
    }
    assert switched <= case.conf.image_overridable, switched
    assert decision.one_line(decided).isprintable()
    _check_xml(decided.selection)
    return decided


def _check_reach(case):
    """Check an image without whose demands the host refuses the guest.

    Nothing says what it would be like otherwise, so that all counts that its
    demands could switch.
    """
    asked = request.read_overrides(
        request.Source.IMAGE, case.properties
    ).features
    on = {name for name, ask in asked.items() if ask.on}
    off = asked.keys() - on
    while True:
        more = {other for name in on for other in facts.REQUIRES.get(name, ())}
        if more <= on:
            break
        on |= more
    while True:
        more = {
            name for name, needs in facts.REQUIRES.items() if off & set(needs)
        }
        if more <= off:
            break
        off |= more
    assert on | off <= case.conf.image_overridable, (on, off)


def _check_refusal(message):
    # One line for the log.
    assert message.isprintable(), message
    assert message.endswith('.'), message
    assert len(message) < _MAX_MESSAGE + 6 * MAX_LENGTH, len(message)


def _check_xml(selection: selections.Selection):
    domain = etree.Element('domain')
    hyperv.apply(domain, selection)
    again = etree.fromstring(etree.tostring(domain))
    for element in again.iterfind('./*/*'):
        for each in element.iter():
            assert each.tag in _TAGS, each.tag
            assert not (each.text or '').strip(), each.text
            for key, value in each.items():
                _check_attribute(each.tag, key, value)
    if selection.tsc_frequency is None:
        assert hyperv.read(again) == selection


def _check_attribute(tag, key, value):
    entry = enlightenments.ENLIGHTENMENTS.get(tag)
    if entry is not None and entry.value and key == entry.value.attribute:
        assert entry.value.check(value) == value
        return
    assert key in ('state', 'present', 'name', 'mode', 'frequency'), key
    assert value.isascii() and value.replace('-', '').isalnum(), value
