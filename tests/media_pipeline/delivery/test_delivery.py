"""The delivery service over HTTP, with the services behind it."""

from __future__ import annotations

import asyncio
import io
import json
import struct
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
import pytest
from PIL import Image

from grpc_protos.generated.marquee.licensing.v1 import licensing_pb2, licensing_pb2_grpc
from grpc_protos.generated.marquee.steering.v1 import steering_pb2, steering_pb2_grpc
from media_pipeline.delivery.images import ImageUnreadable, scale_image
from media_pipeline.kernel.media_token import MediaGrant, MediaTokenKeys
from media_pipeline.kernel.object_store import open_object_store
from tests.support.media_services import MediaServices, media_services

SEGMENT = bytes(range(256)) * 10
CLEAR = "assets/ast_1/clear"
MASTER = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvideo-480/playlist.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nvideo-720/playlist.m3u8\n"


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[MediaServices]:
    async with media_services(tmp_path / "state") as services:
        store = open_object_store("", services.state_dir / "objects")
        for path, content in {
            f"{CLEAR}/master.m3u8": MASTER.encode(),
            f"{CLEAR}/video-480/00001.m4s": SEGMENT,
            f"{CLEAR}/video-720/00001.m4s": SEGMENT,
            f"{CLEAR}/audio-0/init.mp4": b"init",
            "assets/ast_2/clear/video-480/00001.m4s": b"foreign",
            "artwork/mov_1/poster/main.png": picture(1000, 1500),
            "artwork/mov_1/logo/main.png": picture(800, 200, alpha=True),
            "artwork/mov_1/backdrop/main.jpg": b"no picture",
        }.items():
            await obstore.put_async(store, path, content)
        yield services


def picture(width: int, height: int, *, alpha: bool = False) -> bytes:
    output = io.BytesIO()
    Image.new("RGBA" if alpha else "RGB", (width, height), (200, 30, 30, 255) if alpha else (200, 30, 30)).save(
        output, "PNG"
    )
    return output.getvalue()


def token(
    services: MediaServices, *, max_lines: int = 0, life: timedelta = timedelta(hours=4), asset: str = "ast_1"
) -> str:
    keys = MediaTokenKeys.load_or_create(services.state_dir / "keys" / "media-token.json")
    return keys.sign(MediaGrant(asset, "ses", datetime.now(UTC) + life, max_lines, ("edge-a", "edge-b")))


async def test_segments_are_served_with_types_caching_and_ranges(services: MediaServices):
    base = f"/media/{token(services)}/{CLEAR}"
    whole = await services.http.get(f"{base}/video-480/00001.m4s")
    assert (whole.status_code, whole.content) == (200, SEGMENT)
    assert whole.headers["Content-Type"] == "video/iso.segment"
    assert "immutable" in whole.headers["Cache-Control"]
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = await services.http.get(f"{base}/video-480/00001.m4s", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, SEGMENT[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(SEGMENT)}"
    outside = await services.http.get(f"{base}/video-480/00001.m4s", headers={"Range": "bytes=99999-"})
    assert (outside.status_code, outside.headers["Content-Range"]) == (416, f"bytes */{len(SEGMENT)}")
    head = await services.http.head(f"{base}/video-480/00001.m4s")
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(SEGMENT)))
    again = await services.http.get(f"{base}/video-480/00001.m4s", headers={"If-None-Match": whole.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await services.http.get(f"{base}/audio-0/init.mp4")).headers["Content-Type"] == "audio/mp4"


async def test_a_token_opens_its_asset_up_to_its_limit_until_its_end(services: MediaServices):
    segment = f"{CLEAR}/video-720/00001.m4s"
    good = token(services)
    expected = {
        f"/media/{good}/{segment}": 200,
        f"/edge-a/media/{good}/{segment}": 200,
        f"/media/{token(services, max_lines=480)}/{segment}": 403,
        f"/media/{token(services, max_lines=480)}/{CLEAR}/video-480/00001.m4s": 200,
        f"/media/{token(services, life=timedelta(seconds=-1))}/{segment}": 403,
        f"/media/{token(services, asset='ast_2')}/{segment}": 404,
        f"/media/{good[:-1]}x/{segment}": 403,
        f"/media/{good}/assets/ast_2/clear/video-480/00001.m4s": 404,
        f"/media/{good}/assets/ast_1/../ast_2/clear/video-480/00001.m4s": 404,
        f"/media/{good}/assets/ast_1/%2e%2e/ast_2/clear/video-480/00001.m4s": 404,
        f"/media/{good}/assets/ast_1//clear/video-480/00001.m4s": 404,
        f"/media/{good}/keys/master.key": 404,
        f"/media/{good}/{CLEAR}/video-480/00009.m4s": 404,
    }
    statuses = {path: (await services.http.get(path)).status_code for path in expected}
    assert statuses == expected


async def test_the_master_names_pathways_steering_and_only_what_may_be_played(services: MediaServices):
    media_token = token(services, max_lines=480)
    answer = await services.http.get(f"/media/{media_token}/{CLEAR}/master.m3u8")
    assert answer.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    assert f'SERVER-URI="http://media.test/steering/{media_token}/hls.json"' in answer.text
    for edge in ("edge-a", "edge-b"):
        assert f"http://media.test/{edge}/media/{media_token}/{CLEAR}/video-480/playlist.m3u8" in answer.text
    assert "video-720" not in answer.text


async def test_steering_answers_both_protocols_alike_and_never_with_an_error_that_players_punish(
    services: MediaServices,
):
    """Also for an expired token; 410 for what was never a token."""
    stub = steering_pb2_grpc.SteeringServiceStub(services.channels["steering"])
    good, expired = token(services), token(services, life=timedelta(seconds=-1))
    orders = []
    for protocol, query in (
        ("hls", '_HLS_pathway="edge-b"&_HLS_throughput=9000000'),
        ("dash", '_DASH_pathway="edge-b"&_DASH_throughput=9000000'),
    ):
        answer = await services.http.get(f"/steering/{good}/{protocol}.json?{query}")
        manifest = answer.json()
        assert (answer.status_code, manifest["VERSION"], manifest["TTL"]) == (200, 1, 10)
        assert manifest["RELOAD-URI"] == f"http://media.test/steering/{good}/{protocol}.json"
        orders.append(manifest["PATHWAY-PRIORITY"])
    assert orders == [["edge-b", "edge-a"]] * 2
    assert (await services.http.get(f"/steering/{expired}/hls.json")).status_code == 200
    assert (await services.http.get("/steering/rubbish/hls.json")).status_code == 410
    request = steering_pb2.SetPathwayHealthRequest(pathway_id="edge-b", health=steering_pb2.PATHWAY_HEALTH_DOWN)
    await stub.SetPathwayHealth(request, metadata=services.service_metadata(), timeout=5)
    after = await services.http.get(f"/steering/{good}/hls.json?_HLS_pathway=edge-b&_HLS_throughput=9000000")
    assert after.json()["PATHWAY-PRIORITY"] == ["edge-a", "edge-b"]


async def test_the_licence_endpoint_speaks_eme_and_problem_json(services: MediaServices):
    stub = licensing_pb2_grpc.LicensingServiceStub(services.channels["licensing"])
    keys = await stub.EnsureAssetKeys(
        licensing_pb2.EnsureAssetKeysRequest(asset_id="ast_1", title_id="mov_1", key_classes=[1, 2, 3]),
        metadata=services.service_metadata(),
        timeout=5,
    )
    entitlement = await stub.IssueEntitlement(
        licensing_pb2.IssueEntitlementRequest(
            title_id="mov_1", asset_id="ast_1", device_id="d", session_id="s", supports_clearkey=True
        ),
        metadata=services.viewer_metadata(plan="BASIC"),
        timeout=5,
    )
    assert entitlement.licence_url == "http://media.test/licence/clearkey"

    def kid(key_class: int) -> str:
        import base64

        key = next(key for key in keys.keys if key.key_class == key_class)
        return base64.urlsafe_b64encode(key.key_id).rstrip(b"=").decode()

    async def ask(*kids: str, bearer: str = entitlement.playback_token, body: bytes | None = None) -> tuple[int, dict]:
        content = body if body is not None else json.dumps({"kids": kids, "type": "temporary"}).encode()
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        answer = await services.http.post("/licence/clearkey", content=content, headers=headers)
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status_code, answer.json()

    status, licence = await ask(kid(1), kid(2), kid(3))
    assert (status, licence["type"], len(licence["keys"])) == (200, "temporary", 2)
    assert kid(3) not in json.dumps(licence)
    refusals = {
        "not-authorized": await ask(kid(3)),
        "insufficient-proof-of-authorization": await ask(kid(1), bearer=""),
    }
    for name, (status, body) in refusals.items():
        assert (status, body["type"]) == (403, f"https://dashif.org/drm-problems/{name}")
    assert (await ask(kid(1), bearer="a.b.c"))[0] == 403
    assert (await ask(body=b"[]"))[0] == 400
    assert (await ask(body=b" " * 20_000))[0] == 413


async def test_artwork_comes_in_offered_sizes_and_formats_only(services: MediaServices):
    for extension, pillow_format in (("jpeg", "JPEG"), ("webp", "WEBP"), ("png", "PNG"), ("avif", "AVIF")):
        answer = await services.http.get(f"/artwork/mov_1/poster/main/240x360.{extension}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == f"image/{extension}"
        image = Image.open(io.BytesIO(answer.content))
        assert (image.size, image.format) == ((240, 360), pillow_format)
    cached = await services.http.get("/artwork/mov_1/poster/main/240x360.jpeg")
    assert (
        await services.http.get(
            "/artwork/mov_1/poster/main/240x360.jpeg", headers={"If-None-Match": cached.headers["ETag"]}
        )
    ).status_code == 304
    logo = Image.open(io.BytesIO((await services.http.get("/artwork/mov_1/logo/main/200x80.webp")).content))
    assert logo.convert("RGBA").getpixel((0, 0))[3] == 0
    for path in (
        "mov_1/poster/main/241x360.jpeg",
        "mov_1/poster/main/240x360.gif",
        "mov_1/banner/main/240x360.jpeg",
        "mov_2/poster/main/240x360.jpeg",
        "mov_1/poster/..%2fmain/240x360.jpeg",
        "mov_1/backdrop/main/320x180.jpeg",
        "mov_1/poster/main/240x360.jpeg.exe",
    ):
        answer = await services.http.get(f"/artwork/{path}")
        assert answer.status_code == 404, path


async def test_many_who_ask_for_one_picture_wait_for_one(services: MediaServices):
    answers = await asyncio.gather(*(services.http.get("/artwork/mov_1/poster/main/342x513.webp") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["ETag"] for answer in answers}) == 1


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces a size and holds almost nothing."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(8000, 8000), (60_000, 60_000)])
def test_a_bomb_is_refused_by_its_header(size: tuple[int, int]):
    with pytest.raises(ImageUnreadable, match="pixels"):
        scale_image(png_header(*size), (120, 180), "jpeg", keeps_whole=False)


async def test_cmcd_is_kept_per_session_and_bounded(services: MediaServices):
    assert (await services.http.get("/cmcd", params={"CMCD": 'sid="s-1",bl=100,v=1'})).status_code == 204
    answer = await services.http.post(
        "/cmcd",
        content=b'sid="s-1",e=ps,sta=p\nsid="s-1",e=t\nv=9,sid="s-1"',
        headers={"Content-Type": "application/cmcd"},
    )
    assert answer.status_code == 204
    assert (await services.http.post("/cmcd", content=b"x" * 300_000)).status_code == 413
    await services.http.get(
        f"/media/{token(services)}/{CLEAR}/video-480/00001.m4s",
        headers={"CMCD-Session": 'sid="s-1"', "CMCD-Request": "mtp=900"},
    )
    rows: list = []
    for _ in range(500):
        rows = await services.redis.xrange("marquee:cmcd:s-1")
        if len(rows) == 4:
            break
        await asyncio.sleep(0.01)
    assert [row[1].get(b"bl") or row[1].get(b"e") or row[1].get(b"mtp") for row in rows] == [
        b"100",
        b"ps",
        b"t",
        b"900",
    ]


async def test_pages_on_other_origins_may_ask(services: MediaServices):
    preflight = await services.http.options(
        "/licence/clearkey",
        headers={
            "Origin": "http://tv.test",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    answer = await services.http.get("/health", headers={"Origin": "http://tv.test"})
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]


async def test_health_tells_each_part(services: MediaServices):
    answer = await services.http.get("/health")
    assert answer.status_code == 200
    assert answer.json()["checks"] == dict.fromkeys(("objects", "licensing", "steering", "transcoding", "valkey"), "ok")


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Authorization": ""}, 401), ({"Authorization": "Bearer rubbish"}, 401), ({}, 403)],
)
async def test_uploads_need_the_studio_scope(services: MediaServices, headers: dict[str, str], status: int):
    wanted = (
        services.studio_headers(scopes=("viewer",))
        | {"Upload-Length": "3", "Upload-Metadata": "titleId bW92"}
        | headers
    )
    assert (await services.http.post("/uploads", headers=wanted)).status_code == status
