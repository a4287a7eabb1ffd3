# SPDX-License-Identifier: Apache-2.0

"""Fails where no test produces a finding, a reason or an option.

    python -m tests.produced DIRECTORY [ARGUMENT...]

Each process of the unit tests writes into DIRECTORY what the package has
produced in it. An argument after that is one that stestr was given: only some
of the tests have run, and nothing is checked.

A finding counts when the package has made one of its kind, a reason when it
stands in a decision of the package, and an option when the package has read
another value of it than its default.
"""

import atexit
import collections
import functools
import json
import os
import pathlib
import sys

from nova_hyperv_enlight.conf import hyperv_enlight
from nova_hyperv_enlight.conf import reader
from nova_hyperv_enlight.domains import findings
from nova_hyperv_enlight.policy import decision

#: The environment variable that names the directory; without it, nothing is
#: recorded.
VARIABLE = 'PRODUCED_DIR'

FINDINGS, REASONS, OPTIONS = 'findings', 'reasons', 'options'
_DEFAULTS = {opt.dest: opt.default for opt in hyperv_enlight.ALL_OPTS}
_PACKAGE = 'nova_hyperv_enlight.'


def declared():
    """Return everything that can be produced, as sets of names by kind."""
    return {
        FINDINGS: set(findings.KINDS),
        REASONS: {reason.value for reason in decision.Reason},
        OPTIONS: set(_DEFAULTS),
    }


def _called_by_package():
    """Whether the caller's caller is a module of the package.

    What a test makes itself, to compare with, proves nothing.
    """
    frame = sys._getframe(2)
    # dataclasses.replace() calls the class for somebody else.
    while frame.f_globals['__name__'] == 'dataclasses':
        frame = frame.f_back
    return frame.f_globals['__name__'].startswith(_PACKAGE)


class Recorder:
    """Records what the package produces.

    Classes are watched, not functions, so that it does not matter how a
    module has imported them.

    :ivar produced: what it has produced so far, as sets of names by kind.
    """

    def __init__(self):
        self.produced = collections.defaultdict(set)

    def start(self):
        """Record from now on; return the function that ends it."""
        watched = (
            (findings.Finding, '__init__'),
            (decision.Decision, '__init__'),
            (reader, '_get'),
        )
        before = [getattr(*each) for each in watched]

        def stop():
            for each, value in zip(watched, before, strict=True):
                setattr(*each, value)

        self._watch(
            findings.Finding, FINDINGS, lambda found: [found.kind.code]
        )
        self._watch(
            decision.Decision,
            REASONS,
            lambda made: [outcome.reason.value for outcome in made.outcomes],
        )
        self._watch_options()
        return stop

    def _watch(self, cls, kind, names_of):
        init = cls.__init__

        @functools.wraps(init)
        def watched(instance, *args, **kwargs):
            init(instance, *args, **kwargs)
            if _called_by_package():
                self.produced[kind].update(names_of(instance))

        cls.__init__ = watched

    def _watch_options(self):
        get = reader._get

        @functools.wraps(get)
        def watched(group, option):
            value = get(group, option)
            if value != _DEFAULTS[option]:
                self.produced[OPTIONS].add(option)
            return value

        reader._get = watched

    def write(self, directory):
        """Write what was produced into a file of this process."""
        path = pathlib.Path(directory, f'produced-{os.getpid()}.json')
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({k: sorted(v) for k, v in self.produced.items()})
        path.write_text(text, encoding='utf-8')


def record():
    """Record what this process produces, where the run asks for that."""
    directory = os.environ.get(VARIABLE)
    if directory:
        recorder = Recorder()
        recorder.start()
        atexit.register(recorder.write, directory)


def main(argv):
    """Run the program; return its exit code."""
    directory, *partial = argv
    if partial:
        print('Only some tests have run: what they produce is not checked.')
        return 0
    produced = collections.defaultdict(set)
    for path in pathlib.Path(directory).glob('produced-*.json'):
        for kind, names in json.loads(path.read_text('utf-8')).items():
            produced[kind].update(names)
    missing = False
    for kind, names in declared().items():
        if names - produced[kind]:
            missing = True
            never = ', '.join(sorted(names - produced[kind]))
            print(f'No unit test produces these {kind}: {never}.')
    return int(missing)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
