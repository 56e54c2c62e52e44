"""Subgraphs and media services that are called past the gateway believe nobody but the gateway, whatever is sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.message_factory import GetMessageClass

from common.tokens import (
    VIEWER_CONTEXT_LIFE,
    VIEWER_HEADER,
    SigningKey,
    Viewer,
    sign_access_token,
    sign_service_token,
    sign_viewer_context,
)
from grpc_protos.generated.marquee.licensing.v1 import licensing_pb2
from grpc_protos.generated.marquee.steering.v1 import steering_pb2
from tests.support.households import Households, settle_in
from tests.support.whole_graph import WholeGraph

pytestmark = pytest.mark.asyncio(loop_scope="module")

VIEWER = Viewer(
    account_id="acc_1", session_id="ses_1", country="US", subscription="ACTIVE", profile_id="prof_1", maturity=18
)
OPEN_TO_ANYBODY = {
    # Delivery hands on what players send: the playback or media token inside is what is believed.
    "marquee.licensing.v1.LicensingService/IssueLicence",
    "marquee.steering.v1.SteeringService/GetSteeringManifest",
}


def _unsigned(_graph: WholeGraph) -> str:
    """alg none, no signature."""
    parts = [{"alg": "none"}, {**VIEWER.to_claims(), "iss": "marquee-gateway", "aud": "marquee-viewer", "exp": 9**10}]
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*texts, ""])


def _changed(graph: WholeGraph) -> str:
    """The gateway's signature under other claims."""
    header, _, signature = sign_viewer_context(graph.viewer_key, VIEWER.to_claims(), datetime.now(UTC)).split(".")
    claims = json.dumps({**VIEWER.to_claims(), "scopes": ["studio"]}).encode()
    return f"{header}.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.{signature}"


FORGERIES: dict[str, Callable[[WholeGraph], str]] = {
    "bare claims": lambda _: json.dumps(VIEWER.to_claims()),
    "an account's id": lambda _: "acc_1",
    "nothing": lambda _: "",
    "unsigned": _unsigned,
    "changed after signing": _changed,
    "another key": lambda _: sign_viewer_context(SigningKey.generate(), VIEWER.to_claims(), datetime.now(UTC)),
    "expired": lambda graph: sign_viewer_context(
        graph.viewer_key, VIEWER.to_claims(), datetime.now(UTC) - VIEWER_CONTEXT_LIFE - timedelta(minutes=1)
    ),
    "of the future": lambda graph: sign_viewer_context(
        graph.viewer_key, VIEWER.to_claims(), datetime.now(UTC) + timedelta(hours=1)
    ),
    "a client's access token": lambda graph: sign_access_token(
        graph.access_key, VIEWER, datetime.now(UTC), timedelta(minutes=15)
    ),
    "an access token signed by the gateway's key": lambda graph: sign_access_token(
        graph.viewer_key, VIEWER, datetime.now(UTC), timedelta(minutes=15)
    ),
    "a service token": lambda graph: sign_service_token(graph.viewer_key, "playback", datetime.now(UTC)),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_subgraphs_refuse_what_the_gateway_did_not_sign(graph: WholeGraph, forgery: str) -> None:
    """HTTP 401 with the code UNAUTHENTICATED, and no data; nobody becomes anonymous by a bad context."""
    token = FORGERIES[forgery](graph)

    answers = {name: await graph.ask_subgraph(name, "{ __typename }", viewer_token=token) for name in graph.subgraphs}

    for answer in answers.values():
        assert answer.status == 401
        assert answer.body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert "data" not in answer.body


@pytest.mark.parametrize("forgery", [*FORGERIES, "no context"])
async def test_media_services_refuse_what_the_gateway_did_not_sign(graph: WholeGraph, forgery: str) -> None:
    """Every method of licensing and steering: UNAUTHENTICATED."""
    metadata = () if forgery == "no context" else ((VIEWER_HEADER, FORGERIES[forgery](graph)),)

    for channel, method, request in _methods(graph):
        if method in OPEN_TO_ANYBODY and forgery == "no context":
            continue
        call = channel.unary_unary(f"/{method}", request_serializer=lambda message: message.SerializeToString())
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(request, metadata=metadata, timeout=5)
        assert (method, refused.value.code()) == (method, grpc.StatusCode.UNAUTHENTICATED)


async def test_a_client_cant_bring_its_own_context(graph: WholeGraph) -> None:
    """The gateway sends its own word and never a client's header."""
    households: Households = await settle_in(graph)
    forged = sign_viewer_context(graph.viewer_key, households.owner.viewer.to_claims(), datetime.now(UTC))

    answer = await graph.gateway.post(
        "/graphql", json={"query": "{ viewer { account { id } } }"}, headers={VIEWER_HEADER: forged}
    )

    assert answer.json() == {"data": {"viewer": None}}


def _methods(graph: WholeGraph) -> list[tuple[grpc.aio.Channel, str, Any]]:
    """Every unary method of the two services with an empty request."""
    found = []
    for name, module in (("licensing", licensing_pb2), ("steering", steering_pb2)):
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                message = GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(method.input_type.full_name))
                found.append((graph.channels[name], f"{service.full_name}/{method.name}", message()))
    assert len(found) >= 7
    return found
