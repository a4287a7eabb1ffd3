# SPDX-License-Identifier: Apache-2.0

"""A hook with a mistake in it."""

from nova_hyperv_enlight.hooks import base


class FailingHook(base.GuestConfigHook):
    """Fails on each guest."""

    def apply(self, config, context):
        """Fail."""
        raise PermissionError(
            13, "Permission denied", "/srv/rack?token=s3cret"
        )
