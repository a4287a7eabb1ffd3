# SPDX-License-Identifier: Apache-2.0

"""The entry point of oslo-config-generator."""

from oslo_config import cfg

from nova_hyperv_enlight.conf import hyperv_enlight


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Return every option of the package with its group."""
    return list(hyperv_enlight.list_opts().items())
