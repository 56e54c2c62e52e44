"""One round of home pages, as clients load them: what it took, by whom, and whether every answer was right."""

from __future__ import annotations

import json
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from typing import Any

from benchmarks.home.audience import Member
from benchmarks.home.deployment import Deployment, Usage
from benchmarks.home.fill import Filled
from benchmarks.home.load import Loaded, percentile, send_at_rate, send_one_by_one
from benchmarks.home.screens import SCREENS, Request
from benchmarks.home.verify import check_answers
from benchmarks.loading import run_load
from common.tokens import VIEWER_HEADER, ensure_key_file, sign_viewer_context

__all__ = [
    "Round",
    "call_recommendations",
    "known_members",
    "load_at_rate",
    "load_one_by_one",
    "milliseconds",
    "requests_per_operation",
    "what_failed",
]

CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Round:
    """A load and what the processes used for it, in milliseconds per request by process."""

    name: str
    loaded: Loaded
    cpu_ms: Mapping[str, float]
    problems: Sequence[str]

    @property
    def total_cpu_ms(self) -> float:
        """All processes together."""
        return sum(self.cpu_ms.values())

    @property
    def per_second(self) -> float:
        """Answers."""
        return len(self.loaded.answers) / self.loaded.seconds

    @property
    def core_ratio(self) -> float:
        """How much of one core the processes got."""
        return self.per_second * self.total_cpu_ms / 1e3

    @property
    def kilobytes(self) -> float:
        """Of an answer as it was sent, compressed, on average."""
        kept = [len(answer.body) for answer in self.loaded.answers if answer.body]
        return sum(kept) / max(1, len(kept)) / 1e3


def known_members(filled: Filled, count: int) -> dict[int, Member]:
    """The first profiles with their histories, for checking what they are shown."""
    return dict(enumerate(islice(filled.audience.members(), count)))


def load_one_by_one(
    name: str,
    filled: Filled,
    system: Deployment,
    requests: Sequence[Request],
    members: Mapping[int, Member],
    *,
    seconds: float,
) -> Round:
    """As fast as they are answered, for so long."""
    load = send_one_by_one(_gateway(system), requests, seconds, CONNECTIONS)
    return _round(name, filled, system, load, members)


def load_at_rate(
    name: str,
    filled: Filled,
    system: Deployment,
    requests: Sequence[Request],
    members: Mapping[int, Member],
    *,
    rate: float,
) -> Round:
    """Each request once, at random instants of which there are `rate` a second."""
    return _round(name, filled, system, send_at_rate(_gateway(system), requests, rate, seed=7), members)


def requests_per_operation(system: Deployment, count: int) -> float:
    """Subgraph requests of the last `count` requests, as the gateway's log tells them."""
    lines = (system.state_dir / "logs" / "gateway.log").read_text(errors="replace").splitlines()
    told = [json.loads(line) for line in lines[-count:] if line.startswith("{")]
    sent: list[int] = [entry["subgraph_requests"] for entry in told if "subgraph_requests" in entry]
    return sum(sent) / max(1, len(sent))


def call_recommendations(filled: Filled, system: Deployment, profiles: Sequence[int], rate: float) -> Loaded:
    """The page itself, asked of recommendations without the gateway: sections, cards and reasons; once a profile."""
    key, now = ensure_key_file(filled.state_dir / "keys" / "viewer.pem"), datetime.now(UTC)
    body = json.dumps({"query": _PAGE, "variables": {"device": SCREENS["TV"].device}}).encode()
    requests = [
        Request(
            number,
            {
                "content-type": "application/json",
                VIEWER_HEADER: sign_viewer_context(key, filled.audience.viewer(number).to_claims(), now),
            },
            body,
        )
        for number in profiles
    ]
    return run_load(send_at_rate(f"{system.url('RECOMMENDATIONS')}/graphql", requests, rate, seed=5))


def what_failed(loaded: Loaded) -> list[str]:
    """The first few requests without an answer, and answers with errors or without a page."""
    wrong = [
        f"profile {answer.request.profile}: HTTP {answer.status}: {answer.body[:300]!r}"
        for answer in loaded.answers
        if answer.status != HTTPStatus.OK or b'"errors"' in answer.body or b'"sections":{"edges":[{' not in answer.body
    ]
    return [*loaded.broken[:3], *wrong[:3]]


_PAGE = """query($device: DeviceInput!) { page(kind: HOME, device: $device) { id revision sections(first: 8) {
  edges { cursor node { id kind heading tracking reason { text } items(first: 10) { edges { node {
    id tracking title { id } artwork { id } } } } } } pageInfo { hasNextPage endCursor } } } }"""


def _gateway(system: Deployment) -> str:
    return f"{system.url('GATEWAY')}/graphql"


def _round(
    name: str, filled: Filled, system: Deployment, load: Coroutine[Any, Any, Loaded], members: Mapping[int, Member]
) -> Round:
    before = system.usage()
    loaded = run_load(load)
    used = _difference(before, system.usage(), max(1, len(loaded.answers)))
    problems = [*loaded.broken[:3], *check_answers(loaded.answers, filled.audience, members)]
    return Round(name, loaded, used, problems)


def _difference(before: Usage, after: Usage, count: int) -> dict[str, float]:
    return {name: (used - before.cpu_s.get(name, 0.0)) / count * 1e3 for name, used in after.cpu_s.items()}


def milliseconds(values_s: Sequence[float], share: float) -> float:
    """A percentile of seconds."""
    return percentile(values_s, share) * 1e3
