"""PINs through the graph: what they guard, how few guesses are looked at, who may set them, and what never leaves."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from common.clock import FakeClock
from common.errors import ErrorKind, ServiceError
from subgraphs.kernel import sql
from subgraphs.kernel.sql import reading
from subgraphs.profiles.adapters.sqlalchemy import tables_people
from subgraphs.profiles.domain.pins import PinRules, PinTry, count_try
from tests.subgraphs.profiles.conftest import START, Graph

PIN = "4821"
REFUSALS = """__typename ... on PinRequired { profileId } ... on PinIncorrect { profileId triesLeft }
  ... on PinLocked { profileId retryAfterSeconds }"""
RESULTS = f"{REFUSALS} ... on NotPermitted {{ message }} ... on InvalidInput {{ fields {{ path message }} }}"
SET_PIN = f"""mutation($input: SetPinInput!) {{ setPin(input: $input) {{ {RESULTS}
  ... on SetPinSuccess {{ profile {{ id hasPin }} }} ... on InvalidCredentials {{ message }} }} }}"""
SELECT_FIELDS = f"""{{ {REFUSALS} ... on SelectProfileSuccess {{
  session {{ accessToken refreshToken profile {{ id }} }} }} }}"""
SELECT = f"mutation($input: SelectProfileInput!) {{ selectProfile(input: $input) {SELECT_FIELDS} }}"
UPDATE = f"""mutation($input: UpdateProfileInput!) {{ updateProfile(input: $input) {{ {RESULTS}
  ... on UpdateProfileSuccess {{ profile {{ isKids maturityLimit }} }} }} }}"""
CREATE = """mutation($input: CreateProfileInput!) { createProfile(input: $input) { __typename
  ... on CreateProfileSuccess { profile { id } } } }"""
LOG_IN = """mutation { logIn(input: {email: "ada@example.org", password: "correct horse"}) {
  ... on LogInSuccess { session { accessToken } } } }"""
INBOX = "{ viewer { account { notifications { edges { node { kind subject body } } } } } }"


class Household:
    """An account with a parent's profile that has a PIN, another without one, and a child's."""

    def __init__(self, graph: Graph, session: dict[str, Any], ids: dict[str, str]) -> None:
        self.graph, self.session, self.ids = graph, session, ids

    async def set_pin(self, name: str, token: str | None = None, **values: Any) -> dict[str, Any]:
        wanted = {"profileId": self.ids[name], **values}
        token = token or self.session["accessToken"]
        result: dict[str, Any] = (await self.graph.data(SET_PIN, {"input": wanted}, token=token))["setPin"]
        return result

    async def select(self, name: str, pin: str | None = None, token: str | None = None) -> dict[str, Any]:
        wanted = {"profileId": self.ids[name], "pin": pin}
        token = token or self.session["accessToken"]
        result: dict[str, Any] = (await self.graph.data(SELECT, {"input": wanted}, token=token))["selectProfile"]
        return result

    async def update(self, whose: str, token: str | None = None, **values: Any) -> dict[str, Any]:
        wanted = {"id": self.ids[whose], **values}
        token = token or self.session["accessToken"]
        result: dict[str, Any] = (await self.graph.data(UPDATE, {"input": wanted}, token=token))["updateProfile"]
        return result


@pytest.fixture(autouse=True)
def patient_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long two hundred at once take on a busy machine is no matter here."""
    monkeypatch.setattr(sql, "POOL_WAIT_S", 60.0)
    monkeypatch.setattr(sql, "BUSY_TIMEOUT_S", 60.0)


@pytest.fixture
async def household(graph: Graph) -> Household:
    session = await graph.sign_up()
    ids = {"Ada": session["account"]["profiles"][0]["id"]}
    for name, values in {"Grace": {}, "Milo": {"isKids": True}}.items():
        variables = {"input": {"name": name, **values}}
        created = await graph.data(CREATE, variables, token=session["accessToken"])
        ids[name] = created["createProfile"]["profile"]["id"]
    made = Household(graph, session, ids)
    assert (await made.set_pin("Ada", pin=PIN, password="correct horse"))["profile"]["hasPin"]
    return made


@pytest.fixture
def looked_at(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every PIN that was compared with a stored one."""
    guesses: list[str] = []
    verify = graph.services.pins.hasher.verify

    async def count(guess: str, stored: str | None) -> bool:
        guesses.append(guess)
        return await verify(guess, stored)

    monkeypatch.setattr(graph.services.pins.hasher, "verify", count)
    return guesses


# --- what is guarded -------------------------------------------------------------------------------------------------


async def test_a_locked_profile_is_selected_with_its_pin_only(household: Household) -> None:
    """Without one it is asked for; a wrong one tells how many tries are left; the others are open."""
    ada = household.ids["Ada"]
    assert await household.select("Ada") == {"__typename": "PinRequired", "profileId": ada}
    assert await household.select("Ada", "0000") == {"__typename": "PinIncorrect", "profileId": ada, "triesLeft": 4}
    assert (await household.select("Ada", PIN))["session"]["profile"] == {"id": ada}
    assert (await household.select("Grace"))["__typename"] == "SelectProfileSuccess"


async def test_a_right_pin_forgets_the_wrong_ones(household: Household) -> None:
    """Four wrong ones and a right one, again and again."""
    for _ in range(3):
        for left in (4, 3, 2, 1):
            assert (await household.select("Ada", "0000"))["triesLeft"] == left
        assert (await household.select("Ada", PIN))["__typename"] == "SelectProfileSuccess"


async def test_raising_the_limit_needs_the_pin_and_lowering_does_not(household: Household) -> None:
    """Names and languages need none either."""
    assert (await household.update("Ada", maturityLimit=12))["profile"]["maturityLimit"] == 12
    assert (await household.update("Ada", name="Ada L", language="de"))["__typename"] == "UpdateProfileSuccess"
    assert (await household.update("Ada", maturityLimit=18))["__typename"] == "PinRequired"
    assert (await household.update("Ada", maturityLimit=18, pin="1111"))["__typename"] == "PinIncorrect"
    assert (await household.update("Ada", maturityLimit=18, pin=PIN))["profile"]["maturityLimit"] == 18


async def test_turning_a_profile_from_kids_mode_needs_its_pin(household: Household) -> None:
    """Turning it into a kids profile does not, and takes the kids' limit along."""
    assert (await household.update("Ada", isKids=True))["profile"] == {"isKids": True, "maturityLimit": 7}
    assert (await household.update("Ada", isKids=False))["__typename"] == "PinRequired"
    assert (await household.update("Ada", isKids=False, pin=PIN))["profile"]["isKids"] is False


async def test_the_way_out_of_a_kids_profile_is_guarded(household: Household) -> None:
    """By the PIN of where one goes, else by that of the kids profile; also for a token from before the selection."""
    await household.set_pin("Milo", pin="7777", password="correct horse")
    milo = (await household.select("Milo", "7777"))["session"]["accessToken"]
    for token in (milo, household.session["accessToken"]):
        assert (await household.select("Grace", token=token))["profileId"] == household.ids["Milo"]
        assert (await household.select("Ada", token=token))["profileId"] == household.ids["Ada"]
    assert (await household.select("Grace", "7777", token=milo))["__typename"] == "SelectProfileSuccess"


async def test_a_token_from_before_a_child_watches_manages_nothing(household: Household) -> None:
    """The account-level token that the screen had is the child's from the selection on."""
    await household.select("Milo")
    assert (await household.update("Milo", maturityLimit=3))["__typename"] == "NotPermitted"
    created = await household.graph.data(
        CREATE, {"input": {"name": "Mine", "maturityLimit": 18}}, token=household.session["accessToken"]
    )
    assert created["createProfile"]["__typename"] == "NotPermitted"


# --- few guesses -----------------------------------------------------------------------------------------------------


async def test_of_a_hundred_aliased_guesses_five_are_looked_at(household: Household, looked_at: list[str]) -> None:
    """The right one among the others opens nothing."""
    fields = " ".join(
        f"""g{number}: selectProfile(input: {{profileId: "{household.ids["Ada"]}",
            pin: "{PIN if number == 50 else f"{number:04}"}"}}) {SELECT_FIELDS}"""
        for number in range(100)
    )
    data = await household.graph.data(f"mutation {{ {fields} }}", token=household.session["accessToken"])
    kinds = [result["__typename"] for result in data.values()]
    assert len(looked_at) == 5
    assert kinds == ["PinIncorrect"] * 5 + ["PinLocked"] * 95
    assert data["g99"]["retryAfterSeconds"] == 900


async def test_of_two_hundred_guesses_at_once_five_are_looked_at(household: Household, looked_at: list[str]) -> None:
    """However they are spread over requests; the account's holder is told once, by name."""
    results = await asyncio.gather(*(household.select("Ada", f"{number:04}") for number in range(200)))
    assert len(looked_at) == 5
    assert [result["__typename"] for result in results].count("PinLocked") == 195
    inbox = await household.graph.data(INBOX, token=household.session["accessToken"])
    messages = [edge["node"] for edge in inbox["viewer"]["account"]["notifications"]["edges"]]
    locked = [message for message in messages if message["kind"] == "PIN_LOCKED"]
    assert len(locked) == 1
    assert '"Ada"' in locked[0]["body"]


async def test_the_lock_ends_a_quarter_of_an_hour_after_the_first_guess(household: Household, clock: FakeClock) -> None:
    """In any quarter of an hour there are five; each guess makes room when it is that old."""
    for _ in range(5):
        await household.select("Ada", "0000")
        clock.advance(timedelta(minutes=1))
    assert (await household.select("Ada", PIN))["retryAfterSeconds"] == 600
    clock.advance(timedelta(minutes=10))
    logged_in = await household.graph.data(LOG_IN)
    token = logged_in["logIn"]["session"]["accessToken"]
    assert (await household.select("Ada", "0000", token))["triesLeft"] == 0
    assert (await household.select("Ada", PIN, token))["retryAfterSeconds"] == 60
    clock.advance(timedelta(minutes=1))
    assert (await household.select("Ada", PIN, token))["__typename"] == "SelectProfileSuccess"


async def test_guesses_at_one_profile_are_not_anothers(household: Household) -> None:
    """A locked profile locks itself only."""
    await household.set_pin("Grace", pin="1234", password="correct horse")
    for _ in range(6):
        await household.select("Ada", "0000")
    assert (await household.select("Grace", "1234"))["__typename"] == "SelectProfileSuccess"


@pytest.mark.parametrize(
    "guess", ["", "48211", "abcd", "\uff14\uff18\uff12\uff11", "4821 ", "\u0664\u0668\u0662\u0661"]
)
async def test_what_is_no_pin_is_a_wrong_one(household: Household, looked_at: list[str], guess: str) -> None:
    """It counts as a try and is never compared."""
    assert (await household.select("Ada", guess))["triesLeft"] == 4
    assert looked_at == []


async def test_without_its_store_nothing_is_let_through(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails closed: the request fails, and no PIN is compared."""

    async def away(*_: object) -> None:
        raise ServiceError(ErrorKind.UNAVAILABLE, "the store can't be reached or is busy; try again")

    monkeypatch.setattr(type(household.graph.services.pins.pins), "begin_try", away)
    variables = {"input": {"profileId": household.ids["Ada"], "pin": PIN}}
    answer = await household.graph(SELECT, variables, token=household.session["accessToken"])
    assert answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


@given(gaps_s=st.lists(st.integers(0, 900), min_size=20, max_size=80), max_tries=st.integers(1, 7))
def test_no_stretch_of_the_window_holds_more_tries_than_allowed(gaps_s: list[int], max_tries: int) -> None:
    """And who waits as long as told gets one."""
    rules, now, tries, counted = PinRules(max_tries), START, tuple[datetime, ...](), list[datetime]()
    for gap_s in gaps_s:
        now += timedelta(seconds=gap_s)
        outcome = count_try("hash", tries, now, rules)
        if isinstance(outcome, PinTry):
            tries = outcome.tries
            counted.append(now)
            assert outcome.is_last == (len(tries) == max_tries)
        else:
            assert now < outcome.until <= now + rules.window
            assert isinstance(count_try("hash", tries, outcome.until, rules), PinTry)
    for last in counted:
        assert sum(last - rules.window < at <= last for at in counted) <= max_tries


# --- setting ---------------------------------------------------------------------------------------------------------


async def test_the_first_pin_needs_the_password(household: Household) -> None:
    """So that no child shuts the others out; a wrong one says so and counts as a try."""
    result = await household.set_pin("Grace", pin="1234")
    assert [field["path"] for field in result["fields"]] == ["input.password"]
    assert (await household.set_pin("Grace", pin="1234", password="guess"))["__typename"] == "InvalidCredentials"
    assert (await household.set_pin("Grace", pin="1234", password="correct horse"))["profile"]["hasPin"]


async def test_a_pin_is_changed_and_taken_away_by_itself_or_the_password(household: Household) -> None:
    """The password also opens a lock at once."""
    assert (await household.set_pin("Ada", pin="1111"))["__typename"] == "PinRequired"
    assert (await household.set_pin("Ada", pin="1111", currentPin="0000"))["triesLeft"] == 4
    assert (await household.set_pin("Ada", pin="1111", currentPin=PIN))["__typename"] == "SetPinSuccess"
    for _ in range(5):
        await household.select("Ada", "0000")
    assert (await household.set_pin("Ada", pin=None, currentPin="1111"))["__typename"] == "PinLocked"
    reset = await household.set_pin("Ada", pin="2222", password="correct horse")
    assert reset["__typename"] == "SetPinSuccess"
    assert (await household.select("Ada", "2222"))["__typename"] == "SelectProfileSuccess"
    assert not (await household.set_pin("Ada", pin=None, currentPin="2222"))["profile"]["hasPin"]
    assert (await household.select("Ada"))["__typename"] == "SelectProfileSuccess"


@pytest.mark.parametrize("pin", ["", "123", "12345", "12a4", "\uff11\uff12\uff13\uff14"])
async def test_a_pin_is_four_digits(household: Household, pin: str) -> None:
    """ASCII ones."""
    result = await household.set_pin("Grace", pin=pin, password="correct horse")
    assert [field["path"] for field in result["fields"]] == ["input.pin"]


async def test_a_kids_profile_sets_no_pin_without_the_password(household: Household) -> None:
    """Not even with the PIN."""
    milo = (await household.select("Milo"))["session"]["accessToken"]
    assert (await household.set_pin("Ada", milo, pin="1111", currentPin=PIN))["__typename"] == "NotPermitted"


async def test_anothers_profile_is_not_found(household: Household) -> None:
    """With any PIN, and with the own password."""
    other = await household.graph.sign_up("eve@example.org")
    wanted = {"profileId": household.ids["Ada"], "pin": "1111", "password": "correct horse"}
    result = await household.graph.data(SET_PIN, {"input": wanted}, token=other["accessToken"])
    assert result["setPin"]["__typename"] == "ProfileNotFound"
    assert (await household.select("Ada", PIN, token=other["accessToken"]))["__typename"] == "ProfileNotFound"


async def test_guesses_of_the_password_are_limited(household: Household) -> None:
    """The password's way in to a PIN is no faster than log-in."""
    kinds = [
        (await household.set_pin("Ada", pin="1111", password=f"guess {number}"))["__typename"] for number in range(25)
    ]
    assert kinds.count("InvalidCredentials") <= 20
    assert kinds[-1] == "RateLimited"


# --- nothing leaves --------------------------------------------------------------------------------------------------


async def test_no_answer_token_event_log_or_message_holds_a_pin(
    household: Household, engine: AsyncEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the store it is an argon2id hash; no field of the schema can hold it."""
    answers = [await household.select("Ada", guess) for guess in ("9173", PIN)]
    everything = """{ viewer { account { id profiles { id name hasPin preferences { dataSaver } }
      notifications { edges { node { subject body } } } } } }"""
    answers.append(await household.graph.data(everything, token=answers[1]["session"]["accessToken"]))
    claims = household.graph.viewer(answers[1]["session"]["accessToken"]).to_claims()
    async with reading(engine) as connection:
        [stored] = (await connection.execute(select(tables_people.profile_pins.c.pin_hash))).scalars()
        outbox = (await connection.execute(text("SELECT data FROM outbox"))).scalars().all()
    assert stored.startswith("$argon2id$")
    captured = capsys.readouterr()
    told = json.dumps([answers[2], claims, [str(row) for row in outbox]]) + captured.out + captured.err
    assert PIN not in told
    assert "9173" not in told


async def test_who_is_limited_can_not_delete_the_profile_that_limits_them(household: Household) -> None:
    """What would be left is a session without limits."""
    await household.update("Grace", maturityLimit=12)
    grace = (await household.select("Grace"))["session"]
    delete = """mutation($id: ID!) { deleteProfile(id: $id) { __typename } }"""
    for token in (grace["accessToken"], household.session["accessToken"]):
        result = await household.graph.data(delete, {"id": household.ids["Grace"]}, token=token)
        assert result["deleteProfile"]["__typename"] == "NotPermitted"


async def test_a_token_of_a_profile_that_is_gone_keeps_its_limits(household: Household) -> None:
    """It gives nobody more than it had."""
    await household.update("Grace", maturityLimit=12)
    anew = (await household.graph.data(LOG_IN))["logIn"]["session"]["accessToken"]
    grace = (await household.select("Grace"))["session"]["accessToken"]
    delete = """mutation($id: ID!) { deleteProfile(id: $id) { __typename } }"""
    result = await household.graph.data(delete, {"id": household.ids["Grace"]}, token=anew)
    assert result["deleteProfile"]["__typename"] == "DeleteProfileSuccess"
    created = await household.graph.data(CREATE, {"input": {"name": "Mine", "maturityLimit": 18}}, token=grace)
    assert created["createProfile"]["__typename"] == "NotPermitted"
