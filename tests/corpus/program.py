# SPDX-License-Identifier: Apache-2.0

"""Runs the program in this process: there are thousands of documents."""

import contextlib
import dataclasses
import io
import logging

from nova_hyperv_enlight.cmd import main


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run left behind.

    :ivar code: the exit code.
    :ivar out: standard output.
    :ivar err: standard error.
    """

    code: int
    out: str
    err: str


def run(*argv):
    """Run the program with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    root = logging.getLogger()
    handlers = list(root.handlers)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main.main([str(each) for each in argv])
    finally:
        # cliff adds some for these streams, and never takes them away.
        root.handlers = handlers
    return Result(code=code, out=out.getvalue(), err=err.getvalue())
