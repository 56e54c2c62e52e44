# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""The queries of profiles."""

import strawberry

from subgraphs.kernel.results import NotPermitted, not_signed_in
from subgraphs.profiles.api.billing_results import PlanChangeResult, SubscriptionConflict
from subgraphs.profiles.api.billing_types import PlanChangePreview
from subgraphs.profiles.api.context import Info
from subgraphs.profiles.api.privacy_types import ErasureCertificate
from subgraphs.profiles.api.types import Account, Plan, Profile, Viewer
from subgraphs.profiles.domain.account_holders import check_holder
from subgraphs.profiles.domain.accounts import PlanId
from subgraphs.profiles.domain.privacy import PrivacyRequestId
from subgraphs.profiles.services.billing import NotInThisState

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

    @strawberry.field(description="Cheapest first, at the prices of the viewer's country.")
    async def plans(self, info: Info) -> list[Plan]:
        """The plan table."""
        country = info.context.viewer.country
        return [Plan.from_domain(plan) for plan in await info.context.services.accounts.plans(country)]

    @strawberry.field(description="How an erasure went, for whoever was given its id; null for an unknown one.")
    async def erasure_certificate(self, info: Info, id: strawberry.ID) -> ErasureCertificate | None:  # noqa: A002
        """It needs no account: by then there is none."""
        request = await info.context.services.privacy.certificate(PrivacyRequestId(id))
        return None if request is None else ErasureCertificate.from_domain(request)

    @strawberry.field(description="What changePlan would cost now, and when the plan would begin.")
    async def plan_change(self, info: Info, plan: PlanId) -> PlanChangeResult:
        """For whoever may manage the account."""
        context = info.context
        account = await context.signed_in()
        if account is None:
            return not_signed_in()
        refusal = check_holder(await context.manager())
        if refusal is not None:
            return NotPermitted(message=refusal)
        quote = await context.services.billing.quote(account, plan, context.now)
        if isinstance(quote, NotInThisState):
            return SubscriptionConflict(message=quote.message, status=quote.status)
        return PlanChangePreview.from_domain(quote)
