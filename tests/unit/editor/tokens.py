# SPDX-License-Identifier: Apache-2.0

"""What of a document is not an enlightenment's, as it is written.

Told by other means than the package's: from expat's raw tokens.
"""

import re
from xml.parsers import expat

from tests.unit.domxml import domains

_NAME = re.compile(r'</?([^\s/>]+)')
_TIMER = re.compile(r'\sname\s*=\s*["\']([^"\']*)')
_MAY_COME = re.compile(
    r'</?hyperv[\s>]|</?features>$|<clock offset=.utc.>$|</clock\s*>$'
)
_HOLDERS = (['domain'], ['domain', 'features'], ['domain', 'clock'])
_HYPERV = ['domain', 'features', 'hyperv']
_FEATURES = {name.partition('.')[0] for name in domains.FEATURES}


def _raw(text):
    """Return a document's tokens."""
    tokens = []
    parser = expat.ParserCreate('utf-8')
    parser.DefaultHandler = tokens.append
    parser.Parse(text, True)
    return tokens


def _is_ours(stack, token, timers):
    """Whether an element is an enlightenment's, by its start tag."""
    name = _NAME.match(token)[1]
    if stack == _HYPERV:
        return name in _FEATURES
    if stack == ['domain', 'clock'] and name == 'timer':
        return _TIMER.search(token)[1] in timers
    return False


class _Filter:
    """Passes the tokens that are others'."""

    def __init__(self, timers):
        self.kept = []
        self._timers = timers
        self._stack = []
        # How deep the element of ours is that we are in.
        self._ours = None
        self._cdata = False

    def feed(self, token):
        if self._cdata or not re.match(r'</?[^!?]', token):
            self._feed_other(token)
            self._cdata = token == '<![CDATA[' or (
                self._cdata and token != ']]>'
            )
        elif token.startswith('</'):
            self._stack.pop()
            self._keep(token)
            if self._ours is not None and len(self._stack) == self._ours:
                self._ours = None
        else:
            self._feed_start(token)

    def _feed_start(self, token):
        empty = token.endswith('/>')
        if self._ours is None and _is_ours(self._stack, token, self._timers):
            if not empty:
                self._ours = len(self._stack)
        else:
            self._keep(token)
        if not empty:
            self._stack.append(_NAME.match(token)[1])

    def _feed_other(self, token):
        # White space moves with what it stands before, and so does what
        # people write into <hyperv> itself.
        if self._stack == _HYPERV:
            return
        if token.strip() or self._stack not in _HOLDERS:
            self._keep(token)

    def _keep(self, token):
        if self._ours is None:
            self.kept.append(token)


def others(text, timers):
    """Return the tokens that are no enlightenment's.

    The elements that hold enlightenments may come and go, or become a pair
    of tags.

    :param text: a document in UTF-8.
    :param timers: the names of the timers that are ours.
    """
    found = _Filter(timers)
    for token in _raw(text):
        found.feed(token)
    # A single tag and a pair of tags are the same.
    pairs = (re.sub(r'\s*/?>$', '>', token) for token in found.kept)
    return [token for token in pairs if not _MAY_COME.match(token)]
