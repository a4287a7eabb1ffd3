# SPDX-License-Identifier: Apache-2.0

"""Where stestr finds Nova's tests."""

from tests.nova_own import place

place.settle()
