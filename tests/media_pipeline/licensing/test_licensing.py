"""Entitlements and licences: what the plan allows, and nothing after the end."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.clock import FakeClock
from common.errors import ErrorKind, ServiceError
from common.tokens import SigningKey, Viewer
from media_pipeline.licensing.adapters.master_key import FileKeyWrapper
from media_pipeline.licensing.adapters.sql_store import SqlLicensingStore, open_sql_store
from media_pipeline.licensing.domain import KeyRecord, granted_lines
from media_pipeline.licensing.ports import KeyUnreadable
from media_pipeline.licensing.services import EntitlementRequest, GrantedEntitlement, Licensing, PlaybackTokens
from media_pipeline.media.protection import ContentKey, Encryption, KeyClass

START = datetime(2026, 1, 1, tzinfo=UTC)
ALL_CLASSES = (KeyClass.AUDIO, KeyClass.SD, KeyClass.HD, KeyClass.UHD)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlLicensingStore]:
    async with open_sql_store(f"sqlite+aiosqlite:///{tmp_path / 'keys.sqlite'}") as store:
        yield store


@pytest.fixture
async def licensing(store: SqlLicensingStore, clock: FakeClock) -> Licensing:
    tokens = PlaybackTokens(SigningKey.generate(), clock)
    licensing = Licensing(store, FileKeyWrapper(bytes(32)), tokens, clock, timedelta(hours=6))
    await licensing.ensure_asset_keys("ast_1", "mov_1", ALL_CLASSES)
    return licensing


def viewer(**fields: object) -> Viewer:
    values = {"account_id": "acc", "profile_id": "prof", "plan": "PREMIUM", "subscription": "ACTIVE", **fields}
    return Viewer(**values)  # type: ignore[arg-type]


def request(**fields: object) -> EntitlementRequest:
    values = {
        "title_id": "mov_1",
        "asset_id": "ast_1",
        "device_id": "dev",
        "session_id": "ses",
        "device_max_lines": 0,
        "supports_clearkey": True,
        **fields,
    }
    return EntitlementRequest(**values)  # type: ignore[arg-type]


async def licensed_classes(licensing: Licensing, granted: GrantedEntitlement) -> set[KeyClass]:
    """The classes whose keys a session gets when it asks for all of them."""
    records = await licensing.keys_of_asset("ast_1")
    kids = [base64.urlsafe_b64encode(record.key_id).rstrip(b"=").decode() for record in records]
    message = json.dumps({"kids": kids, "type": "temporary"}).encode()
    licence = await licensing.issue_licence(granted.playback_token, message)
    given = {base64.urlsafe_b64decode(key["kid"] + "==") for key in json.loads(licence.message)["keys"]}
    return {record.key_class for record in records if record.key_id in given}


@pytest.mark.parametrize(
    ("plan", "lines", "classes"),
    [
        ("BASIC", 480, {KeyClass.AUDIO, KeyClass.SD}),
        ("STANDARD", 1080, {KeyClass.AUDIO, KeyClass.SD, KeyClass.HD}),
        ("PREMIUM", 2160, set(ALL_CLASSES)),
        ("GOLD", 480, {KeyClass.AUDIO, KeyClass.SD}),
        (None, 480, {KeyClass.AUDIO, KeyClass.SD}),
    ],
)
async def test_a_licence_holds_the_plans_keys_and_no_others(licensing: Licensing, plan: Any, lines: Any, classes: Any):
    granted = await licensing.issue_entitlement(viewer(plan=plan), request())
    assert granted.entitlement.max_lines == lines
    assert await licensed_classes(licensing, granted) == classes


async def test_a_small_device_gets_no_more_than_it_shows(licensing: Licensing):
    granted = await licensing.issue_entitlement(viewer(), request(device_max_lines=720))
    assert granted.entitlement.max_lines == 720
    assert await licensed_classes(licensing, granted) == {KeyClass.AUDIO, KeyClass.SD, KeyClass.HD}


async def test_a_device_that_cannot_decrypt_gets_the_clear_version_and_no_key(licensing: Licensing):
    granted = await licensing.issue_entitlement(viewer(plan="BASIC"), request(supports_clearkey=False))
    assert granted.entitlement.encryption is Encryption.CLEAR
    assert granted.entitlement.max_lines == 480
    with pytest.raises(ServiceError) as refused:
        await licensed_classes(licensing, granted)
    assert refused.value.kind is ErrorKind.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("who", "what", "kind"),
    [
        ({"profile_id": None}, {}, ErrorKind.FAILED_PRECONDITION),
        ({"subscription": "EXPIRED"}, {}, ErrorKind.PERMISSION_DENIED),
        ({"subscription": "SUSPENDED"}, {}, ErrorKind.PERMISSION_DENIED),
        ({"subscription": None}, {}, ErrorKind.PERMISSION_DENIED),
        ({}, {"asset_id": "ast_other"}, ErrorKind.NOT_FOUND),
        ({}, {"title_id": "mov_other"}, ErrorKind.NOT_FOUND),
        ({}, {"session_id": ""}, ErrorKind.INVALID_ARGUMENT),
        ({}, {"device_id": "x" * 200}, ErrorKind.INVALID_ARGUMENT),
    ],
)
async def test_entitlements_are_refused_with_their_kind(licensing: Licensing, who: Any, what: Any, kind: Any):
    with pytest.raises(ServiceError) as refused:
        await licensing.issue_entitlement(viewer(**who), request(**what))
    assert refused.value.kind is kind


async def test_a_cancelled_subscription_plays_to_its_end(licensing: Licensing):
    assert await licensing.issue_entitlement(viewer(subscription="CANCELLED"), request())


async def test_no_licence_after_six_hours_or_a_stop(licensing: Licensing, clock: FakeClock):
    """The token and the stored entitlement end together; stopping ends it at once."""
    old = await licensing.issue_entitlement(viewer(), request())
    clock.advance(timedelta(hours=6, seconds=6))
    stopped = await licensing.issue_entitlement(viewer(), request(session_id="ses_2"))
    assert await licensing.revoke_session("ses_2", "acc_other") == 0
    assert await licensed_classes(licensing, stopped)
    assert await licensing.revoke_session("ses_2", "acc") == 1
    assert await licensing.revoke_session("ses_2", "acc") == 0
    for granted in (old, stopped):
        with pytest.raises(ServiceError) as refused:
            await licensed_classes(licensing, granted)
        assert refused.value.kind is ErrorKind.UNAUTHENTICATED


async def test_another_assets_keys_are_not_given(licensing: Licensing):
    granted = await licensing.issue_entitlement(viewer(), request())
    [foreign] = await licensing.ensure_asset_keys("ast_2", "mov_2", [KeyClass.SD])
    kid = base64.urlsafe_b64encode(foreign.key_id).rstrip(b"=").decode()
    with pytest.raises(ServiceError) as refused:
        await licensing.issue_licence(granted.playback_token, json.dumps({"kids": [kid]}).encode())
    assert refused.value.kind is ErrorKind.PERMISSION_DENIED


async def test_a_changed_or_foreign_token_is_refused(licensing: Licensing, clock: FakeClock):
    granted = await licensing.issue_entitlement(viewer(), request())
    forged = PlaybackTokens(SigningKey.generate(), clock).sign(granted.entitlement)
    for token in (forged, granted.playback_token[:-4] + "AAAA", "", "a.b.c"):
        with pytest.raises(ServiceError) as refused:
            await licensing.issue_licence(token, b'{"kids":["LwVHf8JLtPrv2GUXFW2v_A"]}')
        assert refused.value.kind is ErrorKind.UNAUTHENTICATED


async def test_keys_are_made_once_per_class_and_differ(licensing: Licensing):
    first = await licensing.ensure_asset_keys("ast_1", "mov_1", ALL_CLASSES)
    second = await licensing.ensure_asset_keys("ast_1", "mov_1", [KeyClass.SD])
    assert [key.value for key in second] == [key.value for key in first if key.key_class is KeyClass.SD]
    assert len({key.value for key in first}) == len({key.key_id for key in first}) == 4


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_keys_at_rest_are_wrapped_and_bound_to_their_id(
    licensing: Licensing, store: SqlLicensingStore, tmp_path: Path
):
    """Neither value nor master key is in the database; a row under another row's id does not open."""
    keys = await licensing.ensure_asset_keys("ast_1", "mov_1", ALL_CLASSES)
    database = everything_in(tmp_path)
    assert not any(key.value in database or key.value.hex().encode() in database for key in keys)
    records = await store.keys_of_asset("ast_1")
    swapped = KeyRecord(records[0].key_id, "ast_1", "mov_1", KeyClass.AUDIO, records[1].wrapped, START)
    with pytest.raises(KeyUnreadable):
        FileKeyWrapper(bytes(32)).unwrap(swapped)
    with pytest.raises(KeyUnreadable):
        FileKeyWrapper(b"\1" * 32).unwrap(records[0])


def test_the_master_key_is_made_once_and_private(tmp_path: Path):
    path = tmp_path / "keys" / "master.key"
    key = ContentKey(b"i" * 16, b"k" * 16, KeyClass.SD)
    wrapped = FileKeyWrapper.load_or_create(path).wrap(key)
    record = KeyRecord(key.key_id, "ast", "mov", KeyClass.SD, wrapped, START)
    assert FileKeyWrapper.load_or_create(path).unwrap(record) == key
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("nonsense")
    with pytest.raises(ValueError, match="no master key"):
        FileKeyWrapper.load_or_create(path)


@pytest.mark.parametrize(("plan", "device", "lines"), [("BASIC", 0, 480), ("BASIC", 360, 360), ("PREMIUM", 9999, 2160)])
def test_the_smaller_limit_holds(plan: Any, device: Any, lines: Any):
    assert granted_lines(plan, device) == lines
