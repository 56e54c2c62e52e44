"""Money through the graph: cards, subscribing, changing plans, cancelling, giving back; who may, and what is said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from common.tokens import Viewer
from subgraphs.kernel.ids import AccountId
from subgraphs.kernel.pagination import write_cursor
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy.tables import OUTBOX, accounts

# The fixtures' type lives in conftest, which tests can't import.
Graph = Any

DAY = timedelta(days=1)
FIRST_INSTANT = write_cursor(("0001-01-01T00:00:00+14:00", "pay_1"))
"""Before the first year, in UTC."""
PAYMENT = "id kind status amountCents currency plan at failure refundedPaymentId"
ACCOUNT = """account { plan { id priceCents currency } subscription { status autoRenew renewsAt isTrial pendingPlan
  gracePeriodEndsAt currentPeriodEndsAt } paymentMethod { brand lastFour } }"""
RESULT = f"""__typename ... on SubscriptionSuccess {{ {ACCOUNT} payment {{ {PAYMENT} }} }}
  ... on PaymentDeclined {{ message payment {{ {PAYMENT} }} }} ... on PaymentPending {{ payment {{ {PAYMENT} }} }}
  ... on SubscriptionConflict {{ message status }} ... on PaymentMethodMissing {{ message }}
  ... on InvalidInput {{ fields {{ path message }} }} ... on NotPermitted {{ message }}"""
ADD = """mutation($token: String!) { addPaymentMethod(token: $token) { __typename
  ... on AddPaymentMethodSuccess { paymentMethod { brand lastFour } } ... on InvalidInput { fields { path message } }
  ... on NotPermitted { message } } }"""
SUBSCRIBE = f"mutation($plan: PlanId!, $key: String) {{ subscribe(plan: $plan, idempotencyKey: $key) {{ {RESULT} }} }}"
CHANGE = f"""mutation($plan: PlanId!, $most: Int, $key: String) {{
  changePlan(plan: $plan, maxChargeCents: $most, idempotencyKey: $key) {{ {RESULT} }} }}"""
PREVIEW = """query($plan: PlanId!) { planChange(plan: $plan) { __typename
  ... on PlanChangePreview { plan moment takesEffectAt amountCents nextAmountCents currency }
  ... on SubscriptionConflict { message status } } }"""
PAYMENTS = f"""query($first: Int, $after: String) {{ viewer {{ account {{ payments(first: $first, after: $after) {{
  edges {{ node {{ {PAYMENT} }} }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"""
REFUND = f"""mutation($id: ID!) {{ refundPayment(paymentId: $id) {{ __typename
  ... on RefundPaymentSuccess {{ payment {{ {PAYMENT} }} }} ... on PaymentNotFound {{ message }}
  ... on SubscriptionConflict {{ message status }} ... on NotPermitted {{ message }} }} }}"""


async def ask(graph: Graph, query: str, by: str, **variables: Any) -> dict[str, Any]:
    [result] = (await graph.data(query, variables, token=by)).values()
    found: dict[str, Any] = result
    return found


async def payments(graph: Graph, token: str, **variables: Any) -> list[dict[str, Any]]:
    viewer = await ask(graph, PAYMENTS, token, **variables)
    return [edge["node"] for edge in viewer["account"]["payments"]["edges"]]


async def expired(graph: Graph, session: dict[str, Any]) -> None:
    """The trial is over and nothing was paid."""
    graph.clock.advance(31 * DAY)
    await graph.services.billing_rounds.round()
    graph.clock.advance(8 * DAY)
    await graph.services.billing_rounds.round()


async def paying(graph: Graph, plan: str = "STANDARD", **overrides: Any) -> str:
    """A token of an account that has paid for a period."""
    session = await graph.sign_up(**overrides)
    await expired(graph, session)
    token = await relog(graph, session)
    await ask(graph, ADD, token, token="sim_visa_4242")
    assert (await ask(graph, SUBSCRIBE, token, plan=plan))["__typename"] == "SubscriptionSuccess"
    return token


async def relog(graph: Graph, session: dict[str, Any]) -> str:
    """A new token of the account: the old ones are weeks old."""
    log_in = """mutation($email: String!) { logIn(input: {email: $email, password: "correct horse"}) {
      ... on LogInSuccess { session { accessToken } } } }"""
    answer = await graph.data(log_in, {"email": session["account"]["email"]}, address="relog")
    return str(answer["logIn"]["session"]["accessToken"])


async def test_a_new_account_has_a_free_period(graph: Graph) -> None:
    """It renews when that ends, shows no card and no payment."""
    token = (await graph.sign_up(plan="STANDARD"))["accessToken"]
    account = (await ask(graph, f"{{ viewer {{ {ACCOUNT} }} }}", token))["account"]
    ends_at = account["subscription"]["currentPeriodEndsAt"]
    assert account["subscription"] == {
        "status": "ACTIVE",
        "autoRenew": True,
        "renewsAt": ends_at,
        "isTrial": True,
        "pendingPlan": None,
        "gracePeriodEndsAt": None,
        "currentPeriodEndsAt": ends_at,
    }
    assert account["paymentMethod"] is None
    assert await payments(graph, token) == []


async def test_prices_are_in_the_accounts_currency(graph: Graph) -> None:
    """In the plan table, on the account and in what is charged."""
    token = await paying(graph, country="JP")
    account = (await ask(graph, f"{{ viewer {{ {ACCOUNT} }} }}", token))["account"]
    assert account["plan"] == {"id": "STANDARD", "priceCents": 1590, "currency": "JPY"}
    [payment] = await payments(graph, token)
    assert (payment["amountCents"], payment["currency"]) == (1590, "JPY")
    plans = (await graph.data("{ plans { priceCents currency } }", token=token))["plans"]
    assert plans[0] == {"priceCents": 890, "currency": "JPY"}
    assert (await graph.data("{ plans { priceCents currency } }"))["plans"][0] == {"priceCents": 799, "currency": "USD"}


async def test_a_card_is_known_by_its_token_alone(graph: Graph) -> None:
    """A card's number is refused without being kept; an unknown token too."""
    token = (await graph.sign_up())["accessToken"]
    for wrong, words in (("4242 4242 4242 4242", "is a card number"), ("sim_visa_", "is not known"), ("", "is not")):
        result = await ask(graph, ADD, token, token=wrong)
        assert result["__typename"] == "InvalidInput"
        assert words in result["fields"][0]["message"]
        assert wrong not in str(result) or not wrong
    added = await ask(graph, ADD, token, token="sim_mastercard_1234")
    assert added["paymentMethod"] == {"brand": "Mastercard", "lastFour": "1234"}


async def test_subscribing_again_with_the_same_key_charges_once(graph: Graph) -> None:
    """The same payment comes back; another plan under that key is a mistake, and another key finds a subscription."""
    session = await graph.sign_up()
    await expired(graph, session)
    token = await relog(graph, session)
    assert (await ask(graph, SUBSCRIBE, token, plan="BASIC"))["__typename"] == "PaymentMethodMissing"
    await ask(graph, ADD, token, token="sim_visa_4242")
    first = await ask(graph, SUBSCRIBE, token, plan="PREMIUM", key="k1")
    assert first["account"]["subscription"]["status"] == "ACTIVE"
    assert first["account"]["subscription"]["isTrial"] is False
    assert first["payment"]["status"] == "COMPLETED"
    assert await ask(graph, SUBSCRIBE, token, plan="PREMIUM", key="k1") == first
    wrong = await ask(graph, SUBSCRIBE, token, plan="BASIC", key="k1")
    assert wrong["fields"][0]["path"] == "idempotencyKey"
    conflict = await ask(graph, SUBSCRIBE, token, plan="BASIC", key="k2")
    assert conflict == {
        "__typename": "SubscriptionConflict",
        "message": "The subscription is ACTIVE; use changePlan instead.",
        "status": "ACTIVE",
    }
    assert len(await payments(graph, token)) == 1
    assert (await ask(graph, SUBSCRIBE, token, plan="BASIC", key="no key!"))["__typename"] == "InvalidInput"


async def test_a_declined_card_says_why_and_changes_nothing(graph: Graph) -> None:
    """The same key gives the same answer; another one tries again."""
    session = await graph.sign_up()
    await expired(graph, session)
    token = await relog(graph, session)
    await ask(graph, ADD, token, token="sim_visa_9995_insufficient")
    first = await ask(graph, SUBSCRIBE, token, plan="BASIC", key="k1")
    assert first["__typename"] == "PaymentDeclined"
    assert (first["payment"]["status"], first["payment"]["failure"]) == ("FAILED", "the card has insufficient funds")
    await ask(graph, ADD, token, token="sim_visa_4242")
    assert await ask(graph, SUBSCRIBE, token, plan="BASIC", key="k1") == first
    assert (await ask(graph, SUBSCRIBE, token, plan="BASIC", key="k2"))["__typename"] == "SubscriptionSuccess"


async def test_a_lost_answer_is_found_again(graph: Graph) -> None:
    """The card's answer never arrives; the provider, when asked, knows that it was authorised."""
    session = await graph.sign_up()
    await expired(graph, session)
    token = await relog(graph, session)
    await ask(graph, ADD, token, token="sim_visa_6000_silent")
    result = await ask(graph, SUBSCRIBE, token, plan="BASIC")
    assert (result["__typename"], result["payment"]["status"]) == ("SubscriptionSuccess", "COMPLETED")


async def test_a_dearer_plan_is_previewed_charged_and_told(graph: Graph, engine: Any) -> None:
    """The price shown is the price paid; more than was agreed to is not charged; the next token carries the plan."""
    token = await paying(graph, "BASIC")
    graph.clock.advance(15 * DAY)
    token = await relog(graph, {"account": {"email": "ada@example.org"}})
    preview = await ask(graph, PREVIEW, token, plan="PREMIUM")
    assert (preview["moment"], preview["amountCents"], preview["nextAmountCents"]) == ("NOW", 750, 2299)
    refused = await ask(graph, CHANGE, token, plan="PREMIUM", most=749)
    assert refused["fields"][0]["path"] == "maxChargeCents"
    changed = await ask(graph, CHANGE, token, plan="PREMIUM", most=750, key="up")
    assert changed["account"]["plan"]["id"] == "PREMIUM"
    assert (changed["payment"]["kind"], changed["payment"]["amountCents"]) == ("UPGRADE", 750)
    assert await ask(graph, CHANGE, token, plan="PREMIUM", most=750, key="up") == changed
    fresh = await relog(graph, {"account": {"email": "ada@example.org"}})
    viewer: Viewer = graph.viewer(fresh)
    assert (viewer.plan, viewer.subscription) == ("PREMIUM", "ACTIVE")
    async with reading(engine) as connection:
        rows = await connection.execute(
            select(OUTBOX.table.c.data).where(OUTBOX.table.c.kind == "subscription.changed").order_by("sequence")
        )
        told = [(data["plan"], data["status"]) for (data,) in rows]
    assert told == [("BASIC", "SUSPENDED"), ("BASIC", "EXPIRED"), ("BASIC", "ACTIVE"), ("PREMIUM", "ACTIVE")]


async def test_a_cheaper_plan_waits_for_the_next_period(graph: Graph) -> None:
    """And is taken back by choosing the present one."""
    token = await paying(graph, "PREMIUM")
    preview = await ask(graph, PREVIEW, token, plan="BASIC")
    assert (preview["moment"], preview["amountCents"]) == ("AT_PERIOD_END", 0)
    down = await ask(graph, CHANGE, token, plan="BASIC")
    assert (down["account"]["plan"]["id"], down["account"]["subscription"]["pendingPlan"]) == ("PREMIUM", "BASIC")
    assert down["payment"] is None
    back = await ask(graph, CHANGE, token, plan="PREMIUM")
    assert back["account"]["subscription"]["pendingPlan"] is None
    await ask(graph, CHANGE, token, plan="STANDARD")
    graph.clock.advance(30 * DAY)
    await graph.services.billing_rounds.round()
    token = await relog(graph, {"account": {"email": "ada@example.org"}})
    newest = (await payments(graph, token, first=1))[0]
    assert (newest["kind"], newest["plan"], newest["amountCents"]) == ("RENEWAL", "STANDARD", 1549)


async def test_cancelling_runs_to_the_end_and_is_taken_back(graph: Graph) -> None:
    """Until the period is over; then only subscribing helps."""
    token = await paying(graph)
    cancel = f"mutation {{ cancelSubscription {{ {RESULT} }} }}"
    resume = f"mutation {{ resumeSubscription {{ {RESULT} }} }}"
    cancelled = await ask(graph, cancel, token)
    assert (
        cancelled["account"]["subscription"].items()
        >= {
            "status": "CANCELLED",
            "autoRenew": False,
            "renewsAt": None,
        }.items()
    )
    assert (await ask(graph, cancel, token))[
        "message"
    ] == "The subscription is CANCELLED; call resumeSubscription first."
    assert (await ask(graph, CHANGE, token, plan="BASIC"))["__typename"] == "SubscriptionConflict"
    assert (await ask(graph, resume, token))["account"]["subscription"]["status"] == "ACTIVE"
    await ask(graph, cancel, token)
    graph.clock.advance(30 * DAY)
    token = await relog(graph, {"account": {"email": "ada@example.org"}})
    assert graph.viewer(token).subscription == "EXPIRED"
    assert (await ask(graph, resume, token))["message"] == "The subscription is EXPIRED; call subscribe."
    await graph.services.billing_rounds.round()
    assert len(await payments(graph, token)) == 1


async def test_a_suspended_account_is_brought_back_by_another_card(graph: Graph) -> None:
    """It says until when, and the retry is one payment however often it is asked for."""
    token = await paying(graph)
    await ask(graph, ADD, token, token="sim_visa_0002_declined")
    graph.clock.advance(30 * DAY)
    await graph.services.billing_rounds.round()
    token = await relog(graph, {"account": {"email": "ada@example.org"}})
    account = (await ask(graph, f"{{ viewer {{ {ACCOUNT} }} }}", token))["account"]
    assert account["subscription"]["status"] == "SUSPENDED"
    assert account["subscription"]["gracePeriodEndsAt"] == (graph.clock.now() + 7 * DAY).isoformat()
    retry = f"mutation {{ retryPayment {{ {RESULT} }} }}"
    await ask(graph, ADD, token, token="sim_visa_4242")
    paid = await ask(graph, retry, token)
    assert paid["account"]["subscription"]["status"] == "ACTIVE"
    again = await ask(graph, retry, token)
    assert again["message"] == "The subscription is ACTIVE; only a suspended one has a charge to retry."


async def test_payments_page_newest_first(graph: Graph) -> None:
    """Bounded, with cursors; another list's cursor is refused in words."""
    token = await paying(graph)
    for _ in range(3):
        graph.clock.advance(30 * DAY)
        await graph.services.billing_rounds.round()
    token = await relog(graph, {"account": {"email": "ada@example.org"}})
    viewer = await ask(graph, PAYMENTS, token, first=3)
    page = viewer["account"]["payments"]
    assert [edge["node"]["kind"] for edge in page["edges"]] == ["RENEWAL"] * 3
    rest = await payments(graph, token, first=3, after=page["pageInfo"]["endCursor"])
    assert [payment["kind"] for payment in rest] == ["FIRST"]
    for variables in ({"first": 51}, {"after": "WyJhIiwiYiJd"}, {"after": "nonsense"}, {"after": FIRST_INSTANT}):
        answer = await graph(PAYMENTS, variables, token=token)
        assert answer["errors"][0]["extensions"]["code"] == "INVALID_ARGUMENT"


async def test_support_gives_back_what_was_paid_once(graph: Graph, engine: Any) -> None:
    """With the scope alone; the same refund comes back; what was never completed can't be given back."""
    token = await paying(graph)
    [charge] = await payments(graph, token)
    assert "scope billing" in (await ask(graph, REFUND, token, id=charge["id"]))["message"]
    support = await graph.sign_up("support@example.org")
    async with writing(engine) as connection:
        this = accounts.c.id == AccountId(support["account"]["id"])
        await connection.execute(update(accounts).where(this).values(scopes=["billing"]))
    support_token = await relog(graph, support)
    assert (await ask(graph, REFUND, support_token, id="pay_0"))["__typename"] == "PaymentNotFound"
    refund = (await ask(graph, REFUND, support_token, id=charge["id"]))["payment"]
    assert (refund["kind"], refund["status"], refund["refundedPaymentId"]) == ("REFUND", "COMPLETED", charge["id"])
    assert (await ask(graph, REFUND, support_token, id=charge["id"]))["payment"] == refund
    assert (await ask(graph, REFUND, support_token, id=refund["id"]))["__typename"] == "SubscriptionConflict"
    kinds = {(payment["kind"], payment["status"]) for payment in await payments(graph, token)}
    assert kinds == {("FIRST", "REFUNDED"), ("REFUND", "COMPLETED")}


MONEY_MUTATIONS = [
    f'mutation {{ addPaymentMethod(token: "sim_visa_4242") {{ __typename }} }}',  # noqa: F541
    "mutation { subscribe(plan: BASIC) { __typename } }",
    "mutation { changePlan(plan: BASIC) { __typename } }",
    "mutation { cancelSubscription { __typename } }",
    "mutation { resumeSubscription { __typename } }",
    "mutation { retryPayment { __typename } }",
    'mutation { refundPayment(paymentId: "pay_1") { __typename } }',
    'mutation { renameDevice(id: "dev_1", name: "TV") { __typename } }',
    'mutation { removeDevice(id: "dev_1") { __typename } }',
    "query { planChange(plan: PREMIUM) { __typename } }",
]


@pytest.mark.parametrize("query", MONEY_MUTATIONS)
async def test_only_the_holder_manages_money_and_devices(graph: Graph, query: str) -> None:
    """Nobody signed in, a kids profile, and one with a limit are refused, each in its own words."""
    session = await graph.sign_up()
    create = """mutation { createProfile(input: {name: "Teen", maturityLimit: 12}) {
      ... on CreateProfileSuccess { profile { id } } } }"""
    teen_id = (await graph.data(create, token=session["accessToken"]))["createProfile"]["profile"]["id"]
    kid = await graph.kid_token(session)
    teen = (await graph.select({"accessToken": await relog(graph, session)}, teen_id))["accessToken"]
    [nobody] = (await graph.data(query)).values()
    assert nobody["__typename"] == "NotSignedIn"
    [by_kid] = (await graph.data(query, token=kid)).values()
    assert by_kid["__typename"] == "NotPermitted"
    [by_teen] = (await graph.data(query, token=teen)).values()
    assert by_teen["__typename"] == "NotPermitted"


async def test_kids_see_neither_money_nor_devices(graph: Graph) -> None:
    """The fields are empty for them; the subscription's state is not secret."""
    session = await graph.sign_up()
    await ask(graph, ADD, session["accessToken"], token="sim_visa_4242")
    query = """{ viewer { account { subscription { status } paymentMethod { brand } payments { edges { cursor } }
      devices { edges { cursor } } } } }"""
    kid = await ask(graph, query, await graph.kid_token(session))
    assert kid["account"] == {
        "subscription": {"status": "ACTIVE"},
        "paymentMethod": None,
        "payments": None,
        "devices": None,
    }
