"""Downloads: the rules on an account's whole, and the mutations through the subgraph."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.events import Event
from common.tokens import Viewer
from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.playback.domain.downloads import (
    MAX_DOWNLOADS_PER_DEVICE,
    AccountDownloads,
    Download,
    DownloadRefusal,
    authorise_download,
    delete_download,
    renew_download,
    without_device,
)

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
FIELDS = "__typename ... on DownloadSuccess { download { id deviceId state expiresAt hasOfflineLicence title { id } } } ... on DownloadRefused { reason message limit }"
AUTHORISE = f"mutation ($title: ID!, $device: ID!) {{ authoriseDownload(input: {{titleId: $title, deviceId: $device}}) {{ {FIELDS} }} }}"
ACT = "mutation ($id: ID!, $device: ID!) { %s(input: {downloadId: $id, deviceId: $device}) { %s ... on DownloadNotFound { downloadId } } }"
DELETE = "mutation ($id: ID!) { deleteDownload(downloadId: $id) { __typename } }"
LIST = """query ($representations: [_Any!]!, $first: Int!, $after: String) { _entities(representations: $representations) {
  ... on Profile { downloads(first: $first, after: $after) { edges { node { id state title { id } } } pageInfo { hasNextPage endCursor } } }
  ... on Account { downloadDevices { deviceId downloadCount } } } }"""


def download(number: int, device: str, title: str | None = None, at: datetime = NOW) -> Download:
    return Download(
        f"dwn_{number:04}", ProfileId("p"), TitleId(title or f"mov_{number}"), "ast", device, at, at + timedelta(days=7)
    )


@settings(max_examples=300, deadline=None)
@given(
    plan=st.sampled_from(["BASIC", "STANDARD", "PREMIUM", None]),
    steps=st.lists(
        st.tuples(
            st.sampled_from(["authorise", "renew", "delete", "remove", "wait"]), st.integers(0, 5), st.integers(0, 7)
        ),
        max_size=40,
    ),
)
def test_no_order_of_changes_breaks_the_plan(plan: str | None, steps: list[tuple[str, int, int]]) -> None:
    """Never more devices with live downloads than the plan has; what is refused changes nothing."""
    allowed = {"BASIC": 1, "STANDARD": 2, "PREMIUM": 4, None: 1}[plan]
    account, now = AccountDownloads(AccountId("a")), NOW
    for number, (action, device_number, pick) in enumerate(steps):
        device = f"d{device_number}"
        known = account.downloads[pick % len(account.downloads)] if account.downloads else None
        changed: AccountDownloads | DownloadRefusal = account
        if action == "authorise":
            changed = authorise_download(account, download(number, device, f"mov_{pick}", now), plan, now)
        elif action == "renew" and known is not None:
            changed = renew_download(account, known, known.device_id, plan, now)
        elif action == "delete" and known is not None:
            changed = delete_download(account, known)
        elif action == "remove":
            changed = without_device(account, device)
        elif action == "wait":
            now += timedelta(days=pick)
        if isinstance(changed, DownloadRefusal):
            assert len(account.devices(now)) >= allowed
        else:
            account = changed
        assert len(account.devices(now)) <= allowed
        assert len({(each.title_id, each.device_id) for each in account.downloads}) == len(account.downloads)


def test_a_device_keeps_so_many_and_no_more() -> None:
    """Of live ones; expired ones do not count and the oldest of them are forgotten."""
    account = AccountDownloads(AccountId("a"))
    for number in range(MAX_DOWNLOADS_PER_DEVICE):
        changed = authorise_download(account, download(number, "tv"), "BASIC", NOW)
        assert isinstance(changed, AccountDownloads)
        account = changed
    later = NOW + timedelta(days=8)

    assert authorise_download(account, download(999, "tv"), "BASIC", NOW) is DownloadRefusal.TOO_MANY_DOWNLOADS
    after = authorise_download(account, download(999, "phone", at=later), "BASIC", later)
    assert isinstance(after, AccountDownloads)
    assert [each.id for each in after.live(later)] == ["dwn_0999"]
    assert len(after.downloads) == 51


@pytest.fixture
async def titles(subgraph: Any, make_snapshot: Any) -> None:
    await subgraph.tell_titles(
        make_snapshot("mov_1"), make_snapshot("mov_2"), make_snapshot("mov_3"), make_snapshot("mov_18", minimumAge=18)
    )
    for title_id in ("mov_1", "mov_2", "mov_18"):
        await subgraph.tell_asset(title_id)


async def authorise(subgraph: Any, viewer: Viewer | None, title: str, device: str) -> Any:
    return (await subgraph.data(AUTHORISE, {"title": title, "device": device}, viewer))["authoriseDownload"]


async def act(subgraph: Any, viewer: Viewer, mutation: str, download_id: str, device: str) -> Any:
    query = ACT % (mutation, FIELDS)
    return (await subgraph.data(query, {"id": download_id, "device": device}, viewer))[mutation]


async def listed(subgraph: Any, viewer: Viewer, first: int = 20, after: str | None = None) -> tuple[Any, Any]:
    representations = [
        {"__typename": "Profile", "id": viewer.profile_id},
        {"__typename": "Account", "id": viewer.account_id},
    ]
    found = await subgraph.data(LIST, {"representations": representations, "first": first, "after": after}, viewer)
    return found["_entities"][0]["downloads"], found["_entities"][1]["downloadDevices"]


async def test_the_life_of_a_download(subgraph: Any, titles: None, viewer: Viewer) -> None:
    """Authorised, complete, expired after seven days, renewed on its device, deleted."""
    first = (await authorise(subgraph, viewer, "mov_1", "tv"))["download"]
    complete = (await act(subgraph, viewer, "completeDownload", first["id"], "tv"))["download"]
    subgraph.clock.advance(timedelta(days=7))
    expired = (await listed(subgraph, viewer))[0]["edges"][0]["node"]["state"]
    elsewhere = await act(subgraph, viewer, "renewDownload", first["id"], "phone")
    renewed = (await act(subgraph, viewer, "renewDownload", first["id"], "tv"))["download"]
    deleted = await subgraph.data(DELETE, {"id": first["id"]}, viewer)
    again = await subgraph.data(DELETE, {"id": first["id"]}, viewer)

    assert (first["state"], first["title"], first["hasOfflineLicence"]) == ("AUTHORISED", {"id": "mov_1"}, False)
    assert (complete["state"], expired, elsewhere["reason"]) == ("COMPLETE", "EXPIRED", "OTHER_DEVICE")
    assert (renewed["id"], renewed["state"]) == (first["id"], "COMPLETE")
    assert renewed["expiresAt"] == (subgraph.clock.now() + timedelta(days=7)).isoformat()
    assert deleted["deleteDownload"]["__typename"] == "DeleteDownloadSuccess"
    assert again["deleteDownload"]["__typename"] == "DownloadNotFound"


async def test_the_plan_counts_devices_whoever_asks_at_once(subgraph: Any, titles: None, viewer: Viewer) -> None:
    """Eight devices ask together for a plan with two: exactly two get it; removing one makes room."""
    answers = await asyncio.gather(*[authorise(subgraph, viewer, "mov_1", f"device-{number}") for number in range(8)])
    refused = [answer for answer in answers if answer["__typename"] == "DownloadRefused"]
    _, devices = await listed(subgraph, viewer)
    removed = await subgraph.data(
        "mutation ($id: ID!) { removeDownloadDevice(deviceId: $id) { __typename ... on RemoveDownloadDeviceSuccess { hadDownloads } } }",
        {"id": devices[0]["deviceId"]},
        viewer,
    )

    assert len(refused) == 6
    assert {(answer["reason"], answer["limit"]) for answer in refused} == {("TOO_MANY_DOWNLOAD_DEVICES", 2)}
    assert [device["downloadCount"] for device in devices] == [1, 1]
    assert removed["removeDownloadDevice"]["hadDownloads"] is True
    assert (await authorise(subgraph, viewer, "mov_1", "new"))["__typename"] == "DownloadSuccess"


@pytest.mark.parametrize(
    ("changes", "title_id", "reason"),
    [
        (None, "mov_18", "NOT_SIGNED_IN"),
        ({"profile_id": None}, "mov_18", "NO_PROFILE"),
        ({"subscription": "EXPIRED", "maturity": 12}, "mov_18", "SUBSCRIPTION_LAPSED"),
        ({"maturity": 12}, "mov_18", "NOT_FOUND"),
        ({"is_kids": True}, "mov_1", "NOT_FOUND"),
        ({}, "mov_nowhere", "NOT_FOUND"),
        ({}, "mov_3", "NOT_READY"),
    ],
)
async def test_the_first_reason_is_named(
    subgraph: Any, titles: None, viewer: Viewer, changes: Any, title_id: str, reason: str
) -> None:
    """In the order of pressing play; what may not be seen does not exist."""
    asking = None if changes is None else replace(viewer, **changes)

    assert (await authorise(subgraph, asking, title_id, "tv"))["reason"] == reason


async def test_a_renewal_asks_everything_again(subgraph: Any, titles: None, viewer: Viewer) -> None:
    """The subscription and the title as they are now."""
    made = (await authorise(subgraph, viewer, "mov_1", "tv"))["download"]
    lapsed = replace(viewer, subscription="EXPIRED")
    refused = await act(subgraph, lapsed, "renewDownload", made["id"], "tv")
    await subgraph.follow._catalogue.withdraw(["mov_1"], subgraph.clock.now())
    withdrawn = await act(subgraph, viewer, "renewDownload", made["id"], "tv")

    assert (refused["reason"], withdrawn["reason"]) == ("SUBSCRIPTION_LAPSED", "NOT_FOUND")


async def test_downloads_belong_to_their_profile(subgraph: Any, titles: None, viewer: Viewer) -> None:
    """A sibling sees none of them and can't touch them; the list goes on by cursor, newest first."""
    for title_id in ("mov_1", "mov_2"):
        subgraph.clock.advance(timedelta(seconds=1))
        made = (await authorise(subgraph, viewer, title_id, "tv"))["download"]
    sibling = replace(viewer, profile_id="prof_2")
    first, _ = await listed(subgraph, viewer, first=1)
    second, _ = await listed(subgraph, viewer, first=1, after=first["pageInfo"]["endCursor"])
    theirs, _ = await listed(subgraph, sibling)

    assert [page["edges"][0]["node"]["title"]["id"] for page in (first, second)] == ["mov_2", "mov_1"]
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    assert theirs["edges"] == []
    assert (await act(subgraph, sibling, "completeDownload", made["id"], "tv"))["__typename"] == "DownloadNotFound"


@pytest.mark.parametrize(("event", "reason"), [("profile.deleted", "NO_PROFILE"), ("device.removed", "NOT_SIGNED_IN")])
@pytest.mark.usefixtures("titles")
async def test_nothing_stays_of_a_download_that_is_authorised_while_its_owner_is_removed(
    subgraph: Any, viewer: Viewer, monkeypatch: pytest.MonkeyPatch, event: str, reason: str
) -> None:
    """The removal comes between the look at who asks and the write: its own deletion finds nothing yet."""
    viewer = replace(viewer, device_id="dev_1")
    catalogue = subgraph.services.downloads._catalogue
    asset_of = catalogue.asset_of

    async def asset_of_a_moment_ago(title_id: TitleId) -> Any:
        data = {
            "accountId": viewer.account_id,
            "profileId": viewer.profile_id,
            "deviceId": viewer.device_id,
            "clientHash": "0" * 64,
        }
        found = await asset_of(title_id)
        await subgraph.follow.on_accounts(Event("accounts", event, data, subgraph.clock.now(), "7-7"))
        return found

    monkeypatch.setattr(catalogue, "asset_of", asset_of_a_moment_ago)
    refused = await authorise(subgraph, viewer, "mov_1", "tablet")

    assert (refused["__typename"], refused["reason"]) == ("DownloadRefused", reason)
    kept = await subgraph.services.downloads._downloads.of_account(AccountId(viewer.account_id or ""))
    assert kept.downloads == ()
