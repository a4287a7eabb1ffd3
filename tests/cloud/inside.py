# SPDX-License-Identifier: Apache-2.0
"""The first process of a cloud's name spaces.

Started by ``tests.cloud`` alone. When it ends, the kernel kills all others.
"""

import os
import pathlib
import resource
import shlex
import signal
import subprocess
import sys
import time
import traceback

from tests.cloud import backing
from tests.cloud import cloud as whole
from tests.cloud import exception
from tests.cloud import place as cloud_place

#: The cloud itself failed.
CLOUD_STATUS = 125
# What the machine keeps as it is, whatever libvirt and others write there.
_COVERED = ('/etc', '/run', '/var')
# libvirt closes every possible descriptor whenever it forks.
_OPEN_FILES = 1024


def main(argv: list[str]) -> int:
    """Let a child do all, and wait for the orphans, as init does."""
    child = subprocess.Popen([sys.executable, '-m', __spec__.name, *argv])
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            return os.waitstatus_to_exitcode(status)


def work(argv: list[str]) -> int:
    """Make the cloud and run the command.

    :returns: the command's status, or CLOUD_STATUS.
    """
    started = time.monotonic()

    def told(text: str) -> None:
        seconds = time.monotonic() - started
        print(
            f'cloud: {seconds:5.1f} s, {_cpu_seconds():5.1f} s of CPU: {text}',
            file=sys.stderr,
            flush=True,
        )

    place = cloud_place.Place.find()
    _cover(place)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, hard))
    try:
        whole.Cloud(place).start(told)
    except exception.CloudError as err:
        print(f'cloud: {err}', file=sys.stderr)
        return CLOUD_STATUS
    except Exception:
        # A mistake of ours is looked for in the logs, too.
        traceback.print_exc()
        return CLOUD_STATUS
    if not argv:
        _write_openrc(place)
        print(_INVITATION % {'folder': place.folder}, flush=True)
        signal.pause()
    # The caller's environment, as the tests' own options are in it.
    env = {**os.environ, **place.environment()}
    status = subprocess.run(argv, env=env).returncode
    told('the command has ended')
    return status


_INVITATION = """
The cloud is up. In another terminal:

    source %(folder)s/openrc
    openstack server create --image windows --flavor small --nic none \
        --wait one
    virsh dumpxml instance-00000001

Ctrl-C takes it down, and leaves nothing.
"""


def _write_openrc(place: cloud_place.Place) -> None:
    """Write what a person's shell reads."""
    variables = {
        **place.environment(),
        'HOME': os.environ.get('HOME', '/'),
        'LIBVIRT_DEFAULT_URI': backing.libvirt_uri(place),
    }
    place.path('openrc').write_text(
        ''.join(
            f'export {name}={shlex.quote(value)}\n'
            for name, value in variables.items()
        )
    )


def _cover(place: cloud_place.Place) -> None:
    """Have what is written to some folders of the machine go elsewhere."""
    private = place.path('private')
    _mount('-t', 'tmpfs', 'cloud', private)
    (private / 'tmp').mkdir()
    for path in _COVERED:
        upper, work_folder = (
            private / f'{kind}{path.replace("/", "-")}'
            for kind in ('upper', 'work')
        )
        upper.mkdir()
        work_folder.mkdir()
        options = f'lowerdir={path},upperdir={upper},workdir={work_folder}'
        _mount('-t', 'overlay', '-o', options, 'cloud', path)
    os.environ['TMPDIR'] = str(private / 'tmp')


def _mount(*arguments: str | pathlib.Path) -> None:
    subprocess.run(['mount', *arguments], check=True)


def _cpu_seconds() -> float:
    """Return what all processes of the cloud have used so far."""
    ticks = 0
    for path in pathlib.Path('/proc').glob('[0-9]*/stat'):
        try:
            fields = path.read_text().rpartition(')')[2].split()
        except OSError:
            continue
        # utime, stime, and those of children that were waited for.
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf('SC_CLK_TCK')


if __name__ == '__main__':
    status = (main if os.getpid() == 1 else work)(sys.argv[1:])
    sys.stdout.flush()
    # Not sys.exit(): threads that still set services up would be waited for.
    os._exit(status)
