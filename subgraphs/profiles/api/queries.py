# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""The queries of profiles."""

import strawberry

from subgraphs.profiles.api.context import Info
from subgraphs.profiles.api.types import Account, Plan, Profile, Viewer

__all__ = ["Query"]


@strawberry.type
class Query:
    """Who is asking, and what can be bought."""

    @strawberry.field(description="Who is asking; null when anonymous or logged out.")
    async def viewer(self, info: Info) -> Viewer | None:
        """From the verified viewer context, as the store has it now."""
        account = await info.context.signed_in()
        if account is None:
            return None
        profile = await info.context.selected_profile()
        return Viewer(account=Account(record=account), profile=None if profile is None else Profile(record=profile))

    @strawberry.field(description="Cheapest first.")
    async def plans(self, info: Info) -> list[Plan]:
        """The plan table."""
        return [Plan.from_domain(plan) for plan in await info.context.services.accounts.plans()]
