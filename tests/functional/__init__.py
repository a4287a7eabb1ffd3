# SPDX-License-Identifier: Apache-2.0

from tests.fixtures import nova  # noqa: F401 (before anything of Nova)
