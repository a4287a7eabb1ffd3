# SPDX-License-Identifier: Apache-2.0
"""Look into guests of the host that this runs on, by the program itself.

Run in the lab as ``python -m tests.lab.verify_guests``; it prints JSON: for
each run of the program its exit code, what it printed, and how long it took.
"""

import contextlib
import io
import json
import logging
import logging.handlers
import pathlib
import queue
import runpy
import sys
import tempfile
import time
import typing

from nova_hyperv_enlight.cmd import main
from nova_hyperv_enlight.cmd import probing
from nova_hyperv_enlight.guest import exclusion
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.host import probe

# The package tests.real imports all of Nova, which takes minutes under
# emulation; this module of it needs none.
EMBEDDED = pathlib.Path(__file__).parents[1] / 'real' / 'embedded.py'
# The longest there is: the lab itself is given up when nothing happens any
# more.
_TIMEOUT = '3600'
_RUNS = {
    'baseline': ('guest', 'verify'),
    'baseline bits': ('guest', 'verify', '--decode'),
    'without stimer bits': (
        *('guest', 'verify', '--decode'),
        *('--off', 'stimer', '--off', 'stimer.direct'),
    ),
    'none': ('guest', 'verify', '--profile', 'none'),
    'nested': ('guest', 'verify', '--profile', 'nested'),
    'passthrough': ('guest', 'verify', '--profile', 'passthrough'),
    'vendor': (
        *('guest', 'verify', '--profile', 'none', '--machine', 'q35'),
        *('--on', 'vendor_id', '--on', 'relaxed'),
    ),
    'too new': ('guest', 'verify', '--on', 'xmm_input'),
    'domain': ('guest', 'verify', '--domain', 'somebody'),
    'each': ('guest', 'verify', '--each'),
    'host': ('host', 'show', '--verify'),
}
# A guest of somebody's: what it boots from does not matter.
_SOMEBODY = """
<domain type='kvm'>
  <name>somebody</name>
  <memory unit='MiB'>16</memory>
  <vcpu>2</vcpu>
  <cpu mode='host-model'><topology sockets='1' cores='2' threads='1'/></cpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features>
    <acpi/>
    <apic/>
    <hyperv>
      <relaxed state='on'/>
      <vapic state='on'/>
      <spinlocks state='on' retries='4096'/>
      <vpindex state='on'/>
      <runtime state='off'/>
    </hyperv>
  </features>
  <clock offset='localtime'><timer name='hypervclock' present='yes'/></clock>
  <devices>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>
"""


def run(uri: str, words: tuple[str, ...]) -> dict[str, typing.Any]:
    """Run the program on a connection, and keep what came of it."""
    out, err = io.StringIO(), io.StringIO()
    begin = time.monotonic()
    timeout = ('--timeout', _TIMEOUT) if 'verify' in ' '.join(words) else ()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main.main([*words, '--connect', uri, *timeout, '-f', 'json'])
    seconds = time.monotonic() - begin
    # The lab is given up when it is silent.
    print(f'{" ".join(words)}: {seconds:.1f} s', file=sys.stderr, flush=True)
    rows = json.loads(out.getvalue() or '[]')
    return {
        'code': code,
        'rows': rows,
        'err': sorted(set(err.getvalue().splitlines())),
        'seconds': seconds,
    }


def _ask_witness(driver: typing.Any) -> dict[str, typing.Any]:
    """Ask as nova-compute does with verify_host, twice."""
    asked = probe.ask(
        lambda: driver.connection, 'x86_64', 'q35', 'kvm', kvm.ask()
    )
    exclusion.TIMEOUT_SECONDS = float(_TIMEOUT)
    exclusion.SECONDS = 4 * exclusion.TIMEOUT_SECONDS
    answers, seconds = [], []
    said: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    logging.getLogger().addHandler(logging.handlers.QueueHandler(said))
    for _ in range(2):
        begin = time.monotonic()
        names = exclusion.not_shown(driver.connection, asked, str(driver.root))
        seconds.append(time.monotonic() - begin)
        answers.append(sorted(names))
    warnings = [said.get().getMessage() for _ in range(said.qsize())]
    return {'answers': answers, 'seconds': seconds, 'warnings': warnings}


def look(only: list[str]) -> dict[str, typing.Any]:
    """Run the program, each time with other arguments.

    :param only: the names of some of the runs; all without any.
    """
    driver = runpy.run_path(str(EMBEDDED))['get']()
    probing.run_events = lambda: None  # This driver runs them.
    # Not what is on the machine's own disk.
    tempfile.tempdir = str(driver.root / 'tmp')
    (driver.root / 'tmp').mkdir()
    somebody, before = None, ''
    if not only or 'domain' in only:
        somebody = driver.connection.createXML(_SOMEBODY)
        before = somebody.XMLDesc()
    found: dict[str, typing.Any] = {
        name: run(driver.uri, words)
        for name, words in _RUNS.items()
        if not only or name in only
    }
    if not only:
        found['witness'] = _ask_witness(driver)
    if somebody is not None:
        found['somebody'] = {'unchanged': somebody.XMLDesc() == before}
    domains = driver.connection.listAllDomains()
    found['left'] = {
        'domains': [each.name() for each in domains],
        'files': [
            str(path)
            for path in driver.root.rglob('nova-hyperv-enlight-verify*')
        ],
    }
    if somebody is not None:
        somebody.destroy()
    return found


if __name__ == '__main__':
    json.dump(look(sys.argv[1:]), sys.stdout, indent=1)
