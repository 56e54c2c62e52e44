"""Transports: limits, deadlines and cancellation against a real server on loopback and an in-process application."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway.errors import SubgraphError, SubgraphMalformed, SubgraphTimeout, SubgraphTooLarge, SubgraphUnavailable
from gateway.executor.transport import pool
from gateway.executor.transport.base import SubgraphRequest
from gateway.executor.transport.http import HttpTransport
from gateway.executor.transport.in_process import InProcessTransport

LIMIT = 10_000
Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A raw HTTP server: `handler` gets the request's head and writes whatever it likes."""
    heads: list[bytes] = []
    open_writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                )
                await reader.readexactly(length)
                heads.append(head)
                await handler(head, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            open_writers.discard(writer)
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/graphql", heads
    finally:
        listening.close()
        for writer in open_writers:
            writer.close()
        await listening.wait_closed()


def answer(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> Handler:
    async def write(_head: bytes, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(body) if length is None else length}", *headers]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        if length is not None:
            await writer.drain()
            writer.close()

    return write


async def send(handler: Handler, *, timeout_s: float = 5.0) -> tuple[Any, list[bytes]]:
    async with server(handler) as (url, heads):
        transport = HttpTransport({"s": url}, max_response_bytes=LIMIT)
        try:
            deadline = asyncio.get_running_loop().time() + timeout_s
            return await transport.send(SubgraphRequest("s", b"{}", {"x-test": "1"}, deadline)), heads
        finally:
            await transport.aclose()


async def test_posts_json_and_reads_the_answer() -> None:
    got, heads = await send(answer(b'{"data":1}', "content-type: application/json; charset=utf-8"))
    assert (got.status, got.body, got.content_type) == (200, b'{"data":1}', "application/json; charset=utf-8")
    head = heads[0].lower()
    assert head.startswith(b"post /graphql ")
    assert b"x-test: 1" in head
    assert b"accept-encoding: identity" in head


async def test_redirects_are_not_followed() -> None:
    got, heads = await send(answer(b"", "location: http://127.0.0.1:1/secret", status="307 Temporary Redirect"))
    assert got.status == 307
    assert len(heads) == 1


async def test_inflates_what_a_subgraph_compressed_all_the_same() -> None:
    for encoding, body in (("gzip", gzip.compress(b'{"data":1}')), ("deflate", zlib.compress(b'{"data":1}'))):
        got, _ = await send(answer(body, f"content-encoding: {encoding}"))
        assert got.body == b'{"data":1}'


BOMB = gzip.compress(b" " * 5_000_000, mtime=0)


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (answer(b"x" * (LIMIT + 1)), SubgraphTooLarge),
        (answer(BOMB, "content-encoding: gzip"), SubgraphTooLarge),
        (answer(b"broken", "content-encoding: gzip"), SubgraphMalformed),
        (answer(gzip.compress(b"text", mtime=0)[:-6], "content-encoding: gzip"), SubgraphMalformed),
        (answer(b"x", "content-encoding: br"), SubgraphMalformed),
        (answer(b"half", length=100), SubgraphMalformed),
        (answer(b"", f"x-huge: {'a' * 100_000}"), SubgraphMalformed),
    ],
)
async def test_answers_that_are_too_large_or_broken_are_errors(handler: Handler, error: type[SubgraphError]) -> None:
    with pytest.raises(error) as raised:
        await send(handler)
    assert "127.0.0.1" not in str(raised.value)


async def test_endless_chunks_are_cut_off_at_the_limit() -> None:
    async def endless(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
            await writer.drain()

    with pytest.raises(SubgraphTooLarge):
        await send(endless)


@pytest.mark.parametrize("piece", [b"x" * 1_000, b"x: y\r\n" * 200])
async def test_endless_trailers_are_cut_off(piece: bytes) -> None:
    """They are no body, and yet kept until the answer ends: one name without end, or names without number."""
    sent = 0

    async def write(_head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n")
        while sent < 20_000_000:
            writer.write(piece)
            sent += len(piece)
            await writer.drain()

    with pytest.raises(SubgraphMalformed):
        await send(write)
    assert sent < 20_000_000


async def test_no_status_line_is_an_error() -> None:
    async def garbage(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.0\r\n\r\n")

    with pytest.raises((SubgraphMalformed, SubgraphUnavailable)):
        await send(garbage)


async def test_the_deadline_counts_for_the_whole_answer_not_per_byte() -> None:
    async def drip(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    with pytest.raises(SubgraphTimeout):
        await send(drip, timeout_s=0.1)


async def test_a_refused_connection_is_unavailable_and_names_no_address() -> None:
    transport = HttpTransport({"s": "http://127.0.0.1:1/"})
    try:
        with pytest.raises(SubgraphUnavailable, match="'s' can't be reached") as raised:
            await transport.send(SubgraphRequest("s", b"{}"))
        assert "127.0.0.1" not in str(raised.value)
        with pytest.raises(SubgraphUnavailable, match="no address"):
            await transport.send(SubgraphRequest("unknown", b"{}"))
    finally:
        await transport.aclose()


async def test_a_subgraph_that_moved_is_found_where_its_name_leads_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Soon after the old address failed, not when that would have been looked up again anyway."""
    places = [("127.0.0.1", 1)]

    async def look_up(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    monkeypatch.setattr(pool, "_ADDRESSES_IN_DOUBT_FOR_S", 0.0)
    async with server(answer(b"{}")) as (url, _):
        transport = HttpTransport({"s": "http://titles.example/graphql"})
        with pytest.raises(SubgraphUnavailable):
            await transport.send(SubgraphRequest("s", b"{}"))
        places[:] = [("127.0.0.1", int(url.rsplit(":", 1)[1].split("/")[0]))]
        assert (await transport.send(SubgraphRequest("s", b"{}"))).status == 200
        await transport.aclose()


@pytest.mark.parametrize("may_repeat", [True, False])
async def test_a_connection_that_died_while_idle_is_replaced_for_queries_only(may_repeat: bool) -> None:
    connections = 0

    async def once_per_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"{}")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        await reader.readuntil(b"{}")
        writer.close()

    listening = await asyncio.start_server(once_per_connection, "127.0.0.1", 0)
    async with listening:
        transport = HttpTransport({"s": f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"})
        try:
            request = SubgraphRequest("s", b"{}", may_repeat=may_repeat)
            assert (await transport.send(request)).body == b"{}"
            if may_repeat:
                assert (await transport.send(request)).body == b"{}"
                assert connections == 2
            else:
                with pytest.raises(SubgraphUnavailable):
                    await transport.send(request)
        finally:
            await transport.aclose()


async def test_cancelling_gives_up_the_connection() -> None:
    closed = asyncio.Event()
    asked = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        while await reader.read(1000):
            pass
        closed.set()
        writer.close()

    listening = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with listening:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
        transport = HttpTransport({"s": url})
        task = asyncio.create_task(transport.send(SubgraphRequest("s", b"{}")))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(closed.wait(), 5)
        await transport.aclose()


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.0 200 OK\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\nx-last: 1\r\n\r\n", b"{}"),
    ],
)
async def test_every_way_of_ending_a_body_is_read(raw: bytes, body: bytes) -> None:
    """By length, in chunks with a trailer, by the connection's end, without a body, and after an interim answer."""

    async def write(_head: bytes, writer: asyncio.StreamWriter) -> None:
        for piece in (raw[:20], raw[20:]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if b"content-length" not in raw and b"chunked" not in raw and b"204" not in raw:
            writer.close()

    got, _ = await send(write)
    assert got.body == body


async def test_connections_are_used_again_and_are_no_more_than_allowed() -> None:
    connections: set[asyncio.StreamWriter] = set()

    async def slow(_head: bytes, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        await asyncio.sleep(0.01)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    async with server(slow) as (url, heads):
        transport = HttpTransport({"s": url}, connections_per_host=3)
        answers = await asyncio.gather(*(transport.send(SubgraphRequest("s", b"{}")) for _ in range(9)))
        await transport.aclose()
    assert [each.body for each in answers] == [b"{}"] * 9
    assert len(heads) == 9
    assert len(connections) == 3


async def test_bytes_that_nobody_asked_for_end_the_connection() -> None:
    """A second answer must not become that of the next request, whose sender may be somebody else."""
    count = 0

    async def twice(_head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        for number in (count, 99):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n%02d" % number)

    async with server(twice) as (url, _):
        transport = HttpTransport({"s": url})
        bodies = [(await transport.send(SubgraphRequest("s", b"{}"))).body for _ in range(3)]
        await transport.aclose()
    assert bodies == [b"01", b"02", b"03"]


async def test_a_connection_that_was_idle_for_too_long_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "KEEP_ALIVE_S", 0.0)
    writers: set[asyncio.StreamWriter] = set()

    async def note(head: bytes, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        await answer(b"{}")(head, writer)

    async with server(note) as (url, _):
        transport = HttpTransport({"s": url})
        for _ in range(3):
            await transport.send(SubgraphRequest("s", b"{}"))
        await transport.aclose()
    assert len(writers) == 3


async def test_forwarded_headers_never_change_the_framing() -> None:
    """Neither a client's word on its own body nor a line break gets into the head; ours may be replaced by name."""
    async with server(answer(b"{}")) as (url, heads):
        transport = HttpTransport({"s": url.replace("http://", "http://ada:secret@")})
        headers = {"Content-Length": "9", "transfer-encoding": "chunked", "connection": "close", "User-Agent": "tests"}
        await transport.send(SubgraphRequest("s", b"{}", headers))
        for broken in ("a\r\nx-forged: 1", "a\nb", "a\0"):
            with pytest.raises(SubgraphUnavailable):
                await transport.send(SubgraphRequest("s", b"{}", {"x-test": broken}))
        await transport.aclose()
    (head,) = (each.lower() for each in heads)
    assert head.count(b"content-length: 2\r\n") == head.count(b"content-length") == 1
    assert b"transfer-encoding" not in head
    assert b"connection" not in head
    assert b"user-agent: tests\r\n" in head
    assert b"marquee-gateway" not in head
    assert b"authorization: basic ywrhonnly3jlda==" in head
    assert b"host: 127.0.0.1:" in head


async def test_an_address_that_is_no_url_is_no_address() -> None:
    transport = HttpTransport({"a": "subgraph/graphql", "b": "ftp://127.0.0.1/", "c": "http://127.0.0.1:99999/"})
    for name in "abc":
        with pytest.raises(SubgraphUnavailable, match="no address"):
            await transport.send(SubgraphRequest(name, b"{}"))
    await transport.aclose()


@pytest.mark.parametrize("trusted", [True, False])
async def test_tls_is_spoken_with_servers_that_show_a_trusted_certificate(
    trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, certificate = make_certificate(tmp_path)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        await answer(b"{}")(b"", writer)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as listening:
        transport = HttpTransport({"s": f"https://localhost:{listening.sockets[0].getsockname()[1]}/"})
        if trusted:
            assert (await transport.send(SubgraphRequest("s", b"{}"))).body == b"{}"
        else:
            with pytest.raises(SubgraphUnavailable):
                await transport.send(SubgraphRequest("s", b"{}"))
        await transport.aclose()


def make_certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate that it signed itself, and the certificate's file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    written, key_file = folder / "certificate.pem", folder / "key.pem"
    written.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(written, key_file)
    return context, written


async def _echo(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    await send({"type": "http.response.start", "status": 201, "headers": [(b"Content-Type", b"application/json")]})
    await send({"type": "http.response.body", "body": scope["path"].encode() + b":", "more_body": True})
    await send({"type": "http.response.body", "body": message["body"]})


async def test_in_process_calls_the_application_without_sockets() -> None:
    got = await InProcessTransport({"s": _echo}).send(SubgraphRequest("s", b"{}"))
    assert (got.status, got.body, got.content_type) == (201, b"/graphql:{}", "application/json")


async def test_in_process_failures_are_the_subgraphs() -> None:
    async def raises(_scope: Any, _receive: Any, _send: Any) -> None:
        raise RuntimeError("secret")

    async def says_nothing(_scope: Any, _receive: Any, _send: Any) -> None:
        return

    async def hangs(_scope: Any, receive: Any, _send: Any) -> None:
        await receive()
        await receive()

    async def floods(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})

    transport = InProcessTransport(
        {"raises": raises, "nothing": says_nothing, "hangs": hangs, "floods": floods}, max_response_bytes=LIMIT
    )
    for name, error in (
        ("raises", SubgraphUnavailable),
        ("nothing", SubgraphMalformed),
        ("floods", SubgraphTooLarge),
        ("missing", SubgraphUnavailable),
    ):
        with pytest.raises(error) as raised:
            await transport.send(SubgraphRequest(name, b"{}"))
        assert "secret" not in str(raised.value)
    with pytest.raises(SubgraphTimeout):
        await transport.send(SubgraphRequest("hangs", b"{}", {}, asyncio.get_running_loop().time() + 0.05))


async def test_in_process_passes_other_subgraphs_on() -> None:
    inner = InProcessTransport({"other": _echo})
    got = await InProcessTransport({"s": _echo}, otherwise=inner).send(SubgraphRequest("other", b"{}"))
    assert got.status == 201
