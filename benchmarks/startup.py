# SPDX-License-Identifier: Apache-2.0

"""What the plugin adds to the start of nova-compute.

In fresh processes that have imported Nova's own driver: the bootstrap, the
driver, the options, the hooks and the first question to the host, whose
libvirt answers from a file at once.
"""

import json
import statistics
import subprocess
import sys

from benchmarks import measure
from benchmarks import resolving

GOAL_MS = 100
GOAL_MIB = 10
PROCESSES = 7

SCRIPT = """
import importlib, json, os, pathlib, sys, time, types
os.environ.setdefault('OS_NOVA_DISABLE_EVENTLET_PATCHING', '1')
from nova import monkey_patch
if hasattr(monkey_patch, 'patch'):
    monkey_patch.patch()
import os_vif
from os_vif import plugin
from os_vif.objects import host_info
import nova.conf
from nova.virt.libvirt import driver
from stevedore import _cache
nova.conf.CONF([], project='nova', default_config_files=[])
_cache.get_group_all('os_vif')  # nova-compute has read it by then
document = pathlib.Path(sys.argv[1]).read_text()
connection = types.SimpleNamespace(
    getCapabilities=lambda: '<capabilities><host/></capabilities>',
    getDomainCapabilities=lambda *args: document,
    getLibVersion=lambda: 12004000,
    getVersion=lambda: 10001000,
)
host = types.SimpleNamespace(get_connection=lambda: connection)

def resident():
    with open('/proc/self/statm') as stream:
        pages = int(stream.read().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE')

size, begin = resident(), time.perf_counter()
from nova_hyperv_enlight.virt import bootstrap
bootstrap.Bootstrap.load('hyperv_enlight')
importlib.import_module('nova.virt.hyperv_enlight')
from nova_hyperv_enlight.virt import enlightener
ours = enlightener.Enlightener(nova.conf.CONF, host)
ours.load()
ours._probe.capabilities('x86_64', 'pc', 'kvm')
print(json.dumps([time.perf_counter() - begin, resident() - size]))
"""


def _measure():
    done = subprocess.run(
        [sys.executable, '-c', SCRIPT, str(resolving.DOCUMENT)],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return json.loads(done.stdout)


def figures():
    """Measure, after one process that may have to compile the modules."""
    _measure()
    measured = [_measure() for _ in range(PROCESSES)]
    # The least disturbed process; memory is not disturbed.
    seconds = min(spent for spent, _ in measured)
    size = statistics.median(size for _, size in measured)
    return [
        measure.Figure(
            what='start of nova-compute, extra time',
            value=seconds * 1000,
            unit='ms',
            goal=GOAL_MS,
        ),
        measure.Figure(
            what='start of nova-compute, extra memory',
            value=size / 2**20,
            unit='MiB',
            goal=GOAL_MIB,
        ),
    ]
