"""Devices through the graph: named at log-in, listed, renamed, removed with their sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

# The fixtures' type lives in conftest, which tests can't import.
Graph = Any

LOG_IN = """mutation($device: LogInDeviceInput) { logIn(input: {email: "ada@example.org", password: "correct horse",
  device: $device}) { __typename ... on LogInSuccess { session { accessToken refreshToken } }
  ... on InvalidInput { fields { path message } } } }"""
DEVICES = """query($first: Int, $after: String) { viewer { account { devices(first: $first, after: $after) {
  edges { node { id name formFactor isCurrent firstSeenAt lastSeenAt sessions { isCurrent } } }
  pageInfo { hasNextPage endCursor } } } } }"""
REMOVE = """mutation($id: ID!) { removeDevice(id: $id) { __typename ... on DeviceNotFound { message }
  ... on RemoveDeviceSuccess { account { devices { edges { node { name } } } } } } }"""
RENAME = """mutation($id: ID!, $name: String!) { renameDevice(id: $id, name: $name) { __typename
  ... on RenameDeviceSuccess { device { name } } ... on InvalidInput { fields { path message } } } }"""
REFRESH = """mutation($t: String!) { refreshSession(input: {refreshToken: $t}) { __typename
  ... on RefreshSessionSuccess { session { accessToken } } } }"""


async def log_in(graph: Graph, client_id: str, name: str = "TV", form_factor: str = "TV") -> dict[str, Any]:
    device = {"id": client_id, "name": name, "formFactor": form_factor}
    result = (await graph.data(LOG_IN, {"device": device}, address=client_id))["logIn"]
    assert result["__typename"] == "LogInSuccess", result
    graph.clock.advance(timedelta(minutes=1))
    found: dict[str, Any] = result["session"]
    return found


async def devices(graph: Graph, token: str, **variables: Any) -> list[dict[str, Any]]:
    answer = await graph.data(DEVICES, variables, token=token)
    return [edge["node"] for edge in answer["viewer"]["account"]["devices"]["edges"]]


async def test_a_device_is_known_by_the_id_that_its_client_gave(graph: Graph) -> None:
    """Two log-ins on one device are two sessions of one; its claim is in the token, its client's id nowhere."""
    await graph.sign_up()
    await log_in(graph, "living-room", "Living room")
    again = await log_in(graph, "living-room", "Other words")
    phone = await log_in(graph, "phone-1", "Phone", "PHONE")
    found = await devices(graph, phone["accessToken"])
    shown = [(each["name"], each["formFactor"], each["isCurrent"], len(each["sessions"])) for each in found]
    assert shown == [("Phone", "PHONE", True, 1), ("Living room", "TV", False, 2)]
    assert graph.viewer(phone["accessToken"]).device_id == found[0]["id"]
    refreshed = (await graph.data(REFRESH, {"t": again["refreshToken"]}))["refreshSession"]["session"]["accessToken"]
    assert graph.viewer(refreshed).device_id == found[1]["id"]
    assert [each["name"] for each in await devices(graph, refreshed)] == ["Living room", "Phone"]


async def test_signing_up_on_a_device_registers_it(graph: Graph) -> None:
    """As logging in does, and choosing a profile keeps it."""
    device = {"id": "tv-1", "name": "Kitchen", "formFactor": "TV"}
    session = await graph.sign_up(device=device)
    selected = await graph.select(session)
    [found] = await devices(graph, selected["accessToken"])
    assert (found["name"], found["isCurrent"]) == ("Kitchen", True)
    assert graph.viewer(selected["accessToken"]).device_id == found["id"]


@pytest.mark.parametrize(
    ("device", "path"),
    [
        ({"id": "", "name": "TV"}, "input.device.id"),
        ({"id": "x" * 201, "name": "TV"}, "input.device.id"),
        ({"id": "x", "name": " "}, "input.device.name"),
        ({"id": "x", "name": "n" * 101}, "input.device.name"),
        ({"id": "x", "name": "a\x00b"}, "input.device.name"),
    ],
)
async def test_a_wrong_device_is_named(graph: Graph, device: dict[str, str], path: str) -> None:
    """Before the password is looked at."""
    await graph.sign_up()
    result = (await graph.data(LOG_IN, {"device": device}))["logIn"]
    assert result["__typename"] == "InvalidInput"
    assert [field["path"] for field in result["fields"]] == [path]


async def test_removing_a_device_signs_it_out(graph: Graph) -> None:
    """All of its sessions, at once; the others stay, and it is not there a second time."""
    await graph.sign_up()
    tv, phone = await log_in(graph, "tv"), await log_in(graph, "phone", "Phone")
    tv_again = await log_in(graph, "tv")
    tv_id = next(each["id"] for each in await devices(graph, phone["accessToken"]) if each["name"] == "TV")
    result = (await graph.data(REMOVE, {"id": tv_id}, token=phone["accessToken"]))["removeDevice"]
    assert [edge["node"]["name"] for edge in result["account"]["devices"]["edges"]] == ["Phone"]
    for session in (tv, tv_again):
        refreshed = (await graph.data(REFRESH, {"t": session["refreshToken"]}))["refreshSession"]
        assert refreshed["__typename"] == "InvalidRefreshToken"
        assert (await graph.data("{ viewer { account { id } } }", token=session["accessToken"]))["viewer"] is None
    missing = (await graph.data(REMOVE, {"id": tv_id}, token=phone["accessToken"]))["removeDevice"]
    assert missing == {"__typename": "DeviceNotFound", "message": f"The account has no device {tv_id!r}."}


async def test_a_foreign_device_is_not_there(graph: Graph) -> None:
    """For renaming and removing alike."""
    await graph.sign_up()
    mine = await log_in(graph, "tv")
    [device] = await devices(graph, mine["accessToken"])
    stranger = (await graph.sign_up("grace@example.org"))["accessToken"]
    for query, variables in ((REMOVE, {"id": device["id"]}), (RENAME, {"id": device["id"], "name": "Mine"})):
        [result] = (await graph.data(query, variables, token=stranger)).values()
        assert result["__typename"] == "DeviceNotFound"


async def test_the_name_that_the_holder_gave_stays(graph: Graph) -> None:
    """Whatever the client calls itself later."""
    await graph.sign_up()
    token = (await log_in(graph, "tv", "SM-1234"))["accessToken"]
    [device] = await devices(graph, token)
    renamed = (await graph.data(RENAME, {"id": device["id"], "name": "  Bedroom "}, token=token))["renameDevice"]
    assert renamed["device"] == {"name": "Bedroom"}
    wrong = (await graph.data(RENAME, {"id": device["id"], "name": ""}, token=token))["renameDevice"]
    assert [field["path"] for field in wrong["fields"]] == ["name"]
    again = await log_in(graph, "tv", "SM-1234")
    assert [each["name"] for each in await devices(graph, again["accessToken"])] == ["Bedroom"]


async def test_a_page_of_devices_costs_the_same_however_long(graph: Graph) -> None:
    """One statement for the devices and one for all their sessions; pages neither repeat nor skip."""
    await graph.sign_up()
    costs = []
    for number in range(12):
        token = (await log_in(graph, f"tv-{number}", f"TV {number}"))["accessToken"]
        if number in {1, 11}:
            await devices(graph, token, first=50)
            costs.append(len(graph.statements))
    assert costs[0] == costs[1]
    first = await graph.data(DEVICES, {"first": 7}, token=token)
    page = first["viewer"]["account"]["devices"]
    rest = await devices(graph, token, first=7, after=page["pageInfo"]["endCursor"])
    names = [edge["node"]["name"] for edge in page["edges"]] + [each["name"] for each in rest]
    assert names == [f"TV {number}" for number in range(11, -1, -1)]
