# SPDX-License-Identifier: Apache-2.0

"""Any selection: what hypothesis draws texts from."""

import hypothesis
from hypothesis import strategies as st

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.notation import names
from tests.unit.policy import strategies

NAMES = tuple(enlightenments.ENLIGHTENMENTS)
#: What every notation has a value for.
PLAIN = {'spinlocks.retries': '8191', 'vendor_id.value': '1234567890ab'}

_CASES = {'quick': 50, 'full': 300}

_STATES = st.one_of(
    st.just(dict.fromkeys(NAMES, True)),
    st.just(dict.fromkeys(NAMES, False)),
    st.dictionaries(st.sampled_from(NAMES), st.booleans(), min_size=1),
)
_RETRIES = st.one_of(
    st.sampled_from((4095, 4096, 8191, 4294967295)),
    st.integers(4095, 4294967295),
).map(str)
# Whatever a shell, YAML, XML or virt-xml could take for something else.
_PRINTABLE = ''.join(chr(code) for code in range(32, 127) if chr(code) != ',')
_VENDOR_IDS = st.one_of(
    st.text(_PRINTABLE, min_size=1, max_size=12),
    st.sampled_from(
        ('Microsoft Hv', 'KVMKVMKVM', "it's", '"', '\\', '1e3', '0x10', 'on',
         '- a', 'a: b', '# a', '<&>', ' ', '~', 'null', '$(x)', '{a}', ';')
    ),
)  # fmt: skip
_MODES = st.sampled_from(
    [mode for mode in profiles.Mode if mode is not profiles.Mode.STOCK]
)


def _selection(states, retries, vendor_id, mode, frequency):
    values = {'spinlocks.retries': retries, 'vendor_id.value': vendor_id}
    return selections.Selection(
        features=frozenset(name for name, on in states.items() if on),
        off=frozenset(name for name, on in states.items() if not on),
        values=frozenset(
            (key, text)
            for key, text in values.items()
            if states.get(key.partition('.')[0])
        ),
        mode=mode,
        tsc_frequency=frequency if states.get('reenlightenment') else None,
    )


SELECTIONS = st.builds(
    _selection,
    states=_STATES,
    retries=_RETRIES,
    vendor_id=_VENDOR_IDS,
    mode=_MODES,
    frequency=st.none() | st.integers(1, 10**11),
)
#: The same, without values that look like something else.
PLAIN_SELECTIONS = st.builds(
    _selection,
    states=_STATES,
    retries=st.just(PLAIN['spinlocks.retries']),
    vendor_id=st.just(PLAIN['vendor_id.value']),
    mode=st.just(profiles.Mode.CUSTOM),
    frequency=st.none(),
)


def for_any(drawn, check):
    """Check any of these, by the settings of the other properties.

    :param drawn: what is drawn, or several of them.
    :param check: is given what was drawn.
    """
    several = drawn if isinstance(drawn, tuple) else (drawn,)
    hypothesis.settings(
        hypothesis.settings.get_profile(strategies.PROFILE),
        max_examples=_CASES[strategies.PROFILE],
    )(hypothesis.given(*several)(check))()


def may_go_without_saying(selection):
    """Return the words that a notation may leave out and lose nothing."""
    if selection.mode is profiles.Mode.PASSTHROUGH:
        return set()
    return {f'{name}=off' for name in selection.off}


def words(selection):
    """Return what a selection says, as a set of words."""
    return set(names.words(selection))
