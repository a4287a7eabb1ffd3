# SPDX-License-Identifier: Apache-2.0
"""Run nova-hyperv-enlight on an embedded libvirt, in this process.

Started by its path, ``python tests/real/program.py ARGUMENT...``: the
package around it would import all of Nova.
"""

import pathlib
import runpy
import sys

from nova_hyperv_enlight.cmd import main
from nova_hyperv_enlight.cmd import probing

_EMBEDDED = pathlib.Path(__file__).with_name('embedded.py')


def run(argv):
    """Run it; nothing of the embedded libvirt is left.

    :returns: the exit code
    """
    driver = runpy.run_path(str(_EMBEDDED))['Embedded']()
    probing.run_events = lambda: None  # This driver runs them.
    try:
        return main.main([*argv, '--connect', driver.uri])
    finally:
        driver.close()


if __name__ == '__main__':
    sys.exit(run(sys.argv[1:]))
