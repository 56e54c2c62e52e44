"""A small SMTP server that answers as it is told and keeps what it takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

__all__ = ["SmtpTestServer", "smtp_test_server"]


@dataclass
class SmtpTestServer:
    """`refusals`: the answer to a command instead of the usual one, such as {"RCPT": "550 no such user"}."""

    port: int = 0
    refusals: dict[str, str] = field(default_factory=dict)
    mails: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        writer.write(b"220 test\r\n")
        while line := (await reader.readline()).decode().strip():
            command = line[:4].upper()
            if command in self.refusals:
                answer = self.refusals[command]
            elif command == "RCPT":
                self.recipients.append(line[8:].strip("<> "))
                answer = "250 ok"
            elif command == "DATA":
                writer.write(b"354 go on\r\n")
                self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                answer = "250 kept"
            else:
                answer = {"QUIT": "221 bye"}.get(command, "250 ok")
            writer.write(f"{answer}\r\n".encode())
            await writer.drain()
            if command == "QUIT":
                break
        writer.close()


@asynccontextmanager
async def smtp_test_server() -> AsyncIterator[SmtpTestServer]:
    """On a free port of this machine."""
    made = SmtpTestServer()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
