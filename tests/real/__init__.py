# SPDX-License-Identifier: Apache-2.0

import os

# libvirt reads this once, when its binding is imported (as some modules of
# Nova do), and would otherwise write every complaint to stderr.
os.environ.setdefault('LIBVIRT_LOG_OUTPUTS', '4:file:/dev/null')

from tests.fixtures import nova  # noqa: E402, F401 (before anything of Nova)
