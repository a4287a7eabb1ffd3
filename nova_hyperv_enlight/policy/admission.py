# SPDX-License-Identifier: Apache-2.0

"""What a guest that was started before may go on asking for.

The operator's policy may have changed since. A guest that is there has to
run: what is not allowed any more is passed over, and what it was started
with stands.
"""

import collections.abc
import dataclasses
import typing

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import choice
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import settings


def _refusal(
    check: collections.abc.Callable[..., typing.Any], *args: typing.Any
) -> str | None:
    """Return what a check says against something, None where it passes."""
    try:
        check(*args)
    except exception.InvalidRequest as err:
        return str(err)
    return None


def _allowed_asks(
    conf: settings.Settings, image: request.Demands, refusals: list[str]
) -> request.Demands:
    allowed = {}
    for name, ask in image.asks.items():
        alone = dataclasses.replace(image, asks={name: ask})
        refusal = _refusal(choice.check_image, conf, alone)
        if refusal is None:
            allowed[name] = ask
        else:
            refusals.append(refusal)
    return dataclasses.replace(image, asks=allowed)


def admit(
    conf: settings.Settings, req: request.Request, recorded: record.Record
) -> tuple[request.Request, tuple[str, ...]]:
    """Return what a guest may ask for, and why other things are passed over.

    :param recorded: what it was started with before.
    """
    refusals: list[str] = []
    image = _allowed_asks(conf, req.image, refusals)
    flavor = req.flavor
    silent = dataclasses.replace(req, flavor=request.Demands())
    refusal = _refusal(choice.choose, conf, silent, recorded.profile)
    if refusal is not None:
        refusals.append(refusal)
        image = dataclasses.replace(image, profile=None)
    admitted = dataclasses.replace(req, image=image)
    refusal = _refusal(choice.choose, conf, admitted, recorded.profile)
    if refusal is not None:
        refusals.append(refusal)
        flavor = dataclasses.replace(flavor, profile=None)
    return (
        dataclasses.replace(admitted, flavor=flavor),
        (*req.passed_over, *refusals),
    )
