# SPDX-License-Identifier: Apache-2.0

"""Words for a decision: the line that nova-compute logs for each guest."""

import functools

from nova_hyperv_enlight.policy import decision


def _named(verdict: decision.Verdict) -> str:
    if verdict.value is None:
        return verdict.name
    return f'{verdict.name}={verdict.value}'


@functools.lru_cache(maxsize=128)
def one_line(decided: decision.Decision) -> str:
    """Say in one line what a guest gets, what it does not get, and why.

    :param decided: the decision about a guest that the plugin concerns.
    """
    line = f'profile {decided.profile}'
    if not decided.acts:
        return f"{line}, Nova's own list is left as it is"
    on = ', '.join(_named(verdict) for verdict in decided.on)
    line += f'; on: {on or "nothing"}'
    # Verdicts that say the same of several names are said once.
    reasons: dict[str, list[str]] = {}
    for verdict in decided.left_out:
        sentence = verdict.text.removeprefix(f'{verdict.name!r} ').rstrip('.')
        reasons.setdefault(sentence.removeprefix('is off: '), []).append(
            verdict.name
        )
    if reasons:
        line += '; left out: ' + '; '.join(
            f'{", ".join(names)} ({sentence})'
            for sentence, names in reasons.items()
        )
    if not decided.migratable:
        line += '; not migratable'
    return line


def difference(decided: decision.Decision, own: decision.Selection) -> str:
    """Say in words how a decision differs from Nova's own list.

    :param own: what Nova's own list holds.
    """
    if not decided.acts:
        return "no difference to Nova's own list"
    named = decided.selection.names | own.names
    changes = [
        f'{"+" if verdict.name in decided.selection.names else "-"}'
        f'{verdict.name}'
        for verdict in decided.verdicts
        if verdict.name in named
        and (verdict.name in decided.selection.names)
        != (verdict.name in own.names)
    ]
    ours, theirs = dict(decided.selection.values), dict(own.values)
    changes += [
        f'{key} {theirs[key]} -> {ours[key]}'
        for key in sorted(ours.keys() & theirs.keys())
        if ours[key] != theirs[key]
    ]
    if decided.selection.mode is not own.mode:
        changes.append(f'mode {decided.selection.mode.value}')
    if not changes:
        return "no difference to Nova's own list"
    return f"against Nova's own list: {', '.join(changes)}"
