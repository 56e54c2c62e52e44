# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""The account's devices: renamed and removed."""

from typing import assert_never

import strawberry

from subgraphs.kernel.results import NotPermitted, invalid_input, not_signed_in
from subgraphs.profiles.api import billing_results as results
from subgraphs.profiles.api.context import Info
from subgraphs.profiles.api.mutations.shaping import fresh
from subgraphs.profiles.api.types import Account
from subgraphs.profiles.domain import accounts, devices, outcomes
from subgraphs.profiles.domain.devices import DeviceId
from subgraphs.profiles.services.devices import DeviceMissing

__all__ = ["DeviceMutations"]


@strawberry.type
class DeviceMutations:
    """Not for kids profiles, nor for those with a maturity limit."""

    @strawberry.mutation(description="Give a device another name.")
    async def rename_device(self, info: Info, id: strawberry.ID, name: str) -> results.RenameDeviceResult:  # noqa: A002
        """At most 100 characters; later log-ins keep it."""
        context = fresh(info)
        viewer, account = await context.manager(), await context.signed_in()
        outcome = await context.services.devices.rename(viewer, account, DeviceId(id), name)
        match outcome:
            case devices.Device():
                return results.RenameDeviceSuccess(device=await context.device(outcome))
            case DeviceMissing():
                return results.device_not_found(outcome)
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Sign a device out everywhere and forget it; its downloads count no more.")
    async def remove_device(self, info: Info, id: strawberry.ID) -> results.RemoveDeviceResult:  # noqa: A002
        """Access tokens that are out expire by themselves within 15 minutes."""
        context = fresh(info)
        viewer, account = await context.manager(), await context.signed_in()
        outcome = await context.services.devices.remove(viewer, account, DeviceId(id), context.now)
        match outcome:
            case accounts.Account():
                return results.RemoveDeviceSuccess(account=Account(record=outcome))
            case DeviceMissing():
                return results.device_not_found(outcome)
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case _:
                assert_never(outcome)
