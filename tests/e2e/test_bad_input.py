"""What is wrong with a request is said in one place and one form, and nothing inside shows."""

from __future__ import annotations

import time

import httpx

from common.tokens import ACCESS_AUDIENCE, ACCESS_ISSUER, SigningKey
from tests.support.running_stack import RunningStack


def post(stack: RunningStack, content: bytes, **headers: str) -> httpx.Response:
    sent = {"content-type": "application/json", "accept": "application/graphql-response+json", **headers}
    return stack.client.post(f"{stack.gateway_url}/graphql", content=content, headers=sent)


def test_malformed_json_and_graphql(stack: RunningStack) -> None:
    """Unparsable is 400 with an error that gives the place."""
    json_answer = post(stack, b'{"query": ')
    graphql_answer = post(stack, b'{"query": "{ genres { id "}')

    assert json_answer.status_code == 400
    assert graphql_answer.status_code == 400
    assert graphql_answer.json()["errors"][0]["locations"]
    assert "data" not in graphql_answer.json()


def test_unknown_field_and_variable(stack: RunningStack) -> None:
    """Validation errors name the field and the type, or the variable and the value."""
    unknown = post(stack, b'{"query": "{ titel(id: 1) { id } }"}')
    undefined = post(stack, b'{"query": "query Q { title(id: $id) { id } }"}')
    wrong = post(
        stack,
        b'{"query": "query Q($first: Int!) { titles(first: $first) { edges { cursor } } }", "variables": {"first": "ten"}}',
    )

    assert "titel" in unknown.json()["errors"][0]["message"]
    assert "$id" in undefined.json()["errors"][0]["message"]
    assert "$first" in wrong.json()["errors"][0]["message"]
    assert all("data" not in answer.json() for answer in (unknown, undefined, wrong))


def test_an_oversized_body_is_refused(stack: RunningStack) -> None:
    """Too large is 413 and names the limit."""
    answer = post(stack, b'{"query": "' + b" " * 3_000_000 + b'{ genres { id } }"}')

    assert answer.status_code == 413


def test_an_expired_token_says_so(stack: RunningStack) -> None:
    """401 with reason "expired", so that a client knows to refresh."""
    key = SigningKey.load(stack.state_dir / "keys" / "access.pem")
    issued_at = int(time.time()) - 3600
    token = key.sign(
        {"iss": ACCESS_ISSUER, "aud": ACCESS_AUDIENCE, "sub": "acc_x", "iat": issued_at, "exp": issued_at + 900}
    )

    answer = stack.graphql("{ viewer { account { id } } }", token=token)

    assert answer.status == 401
    assert answer.body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert answer.body["errors"][0]["extensions"]["reason"] == "expired"


def test_a_forged_token_is_refused(stack: RunningStack) -> None:
    """A token of another key opens nothing."""
    now = int(time.time())
    claims = {"iss": ACCESS_ISSUER, "aud": ACCESS_AUDIENCE, "sub": "acc_x", "iat": now, "exp": now + 900}

    answer = stack.graphql("{ viewer { account { id } } }", token=SigningKey.generate().sign(claims))

    assert answer.status == 401


def test_a_subgraph_trusts_no_bare_header(stack: RunningStack) -> None:
    """Called directly with a made-up viewer, a subgraph refuses."""
    answer = stack.client.post(
        f"http://127.0.0.1:{stack.ports['PROFILES']}/graphql",
        json={"query": "{ viewer { account { id } } }"},
        headers={"x-marquee-viewer": '{"sub": "acc_x"}'},
    )

    assert answer.status_code == 401


def test_a_page_size_above_the_bound_names_the_bound(stack: RunningStack) -> None:
    """Every list has a bound, and the error says it."""
    answer = stack.graphql("{ titles(first: 5000) { edges { cursor } } }")

    assert "50" in answer.body["errors"][0]["message"]
    assert "Traceback" not in answer.content.decode()
