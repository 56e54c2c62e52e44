"""PersonalDataHolder over HTTP: the internal route that every subgraph has (subgraphs.kernel.personal_data_route)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from common.clock import Clock
from common.errors import ErrorKind, ServiceError
from common.signing_keys import KeyRing
from common.tokens import sign_service_token
from subgraphs.kernel.personal_data import CountsByPlace, PersonalDataAction, RecordsByPlace, Subject

__all__ = ["HttpPersonalDataHolder", "ServiceCaller"]

MAX_ANSWER_BYTES = 256 << 20
"""Of an export; what is larger is refused unread."""
CALLER = "profiles"


@dataclass(frozen=True, slots=True)
class ServiceCaller:
    """How profiles calls other services; `client` is closed by its owner. `timeout_s` is for a whole call."""

    client: aiohttp.ClientSession
    ring: KeyRing
    clock: Clock
    timeout_s: float

    @property
    def headers(self) -> dict[str, str]:
        """With a fresh service token."""
        return {"authorization": f"Bearer {sign_service_token(self.ring.signing_key(), CALLER, self.clock.now())}"}


class HttpPersonalDataHolder:
    """One service."""

    def __init__(self, name: str, base_url: str, caller: ServiceCaller) -> None:
        self._name = name
        self._base_url = base_url.rstrip("/")
        self._caller = caller

    @property
    def name(self) -> str:
        """See PersonalDataHolder."""
        return self._name

    async def export(self, subject: Subject) -> RecordsByPlace:
        """See PersonalDataHolder."""
        records: RecordsByPlace = self._member(await self._call(PersonalDataAction.EXPORT, subject), "records")
        return records

    async def erase(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataHolder."""
        counts: CountsByPlace = self._member(await self._call(PersonalDataAction.ERASE, subject), "counts")
        return counts

    async def count(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataHolder."""
        counts: CountsByPlace = self._member(await self._call(PersonalDataAction.COUNT, subject), "counts")
        return counts

    async def scrub(self, subject: Subject) -> None:
        """See PersonalDataHolder."""
        await self._call(PersonalDataAction.SCRUB, subject)

    async def _call(self, action: PersonalDataAction, subject: Subject) -> Mapping[str, Any]:
        caller = self._caller
        url = f"{self._base_url}/internal/personal-data/{action.value}"
        try:
            async with (
                asyncio.timeout(caller.timeout_s),
                caller.client.post(
                    url, json=subject.to_json(), headers=caller.headers, allow_redirects=False
                ) as answer,
            ):
                if answer.content_type != "application/json":
                    raise self._failure(ErrorKind.UNAVAILABLE, f"answered {answer.status} and no JSON")
                body = json.loads(await self._read(answer))
        except TimeoutError as error:
            raise self._failure(ErrorKind.DEADLINE_EXCEEDED, f"gave no answer in {caller.timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._failure(ErrorKind.UNAVAILABLE, "can't be reached") from error
        if answer.status != 200 or not isinstance(body, dict):
            said = body.get("error") if isinstance(body, dict) else None
            raise self._failure(ErrorKind.UNAVAILABLE, f"answered {answer.status}: {said or 'no reason'}")
        return body

    def _member(self, body: Mapping[str, Any], name: str) -> Any:
        """An answer without what was asked for must not look like an empty one."""
        if not isinstance(body.get(name), dict):
            raise self._failure(ErrorKind.INTERNAL, f"answered without {name!r}")
        return body[name]

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        """The whole answer, counted as it comes: a length in the head may be absent, or wrong."""
        received = bytearray()
        async for chunk in answer.content.iter_any():
            received += chunk
            if len(received) > MAX_ANSWER_BYTES:
                raise self._failure(ErrorKind.RESOURCE_EXHAUSTED, f"answers more than {MAX_ANSWER_BYTES} bytes")
        return bytes(received)

    def _failure(self, kind: ErrorKind, what: str) -> ServiceError:
        return ServiceError(kind, f"the {self._name} service {what}")
