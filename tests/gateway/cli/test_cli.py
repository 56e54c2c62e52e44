"""The command line: every stage prints its artifact, and mistakes are told in a sentence."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.supergraph.read import read_supergraph

CATALOG = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
type Query { products: [Product!]! }
type Product @key(fields: "id") { id: ID! name: String! }
"""
STOCK = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
type Product @key(fields: "id") { id: ID! stock: Int }
"""
OPERATION = "query Shelf($more: Boolean = true) { products { name stock @include(if: $more) } }"

runner = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "catalog.graphql").write_text(CATALOG)
    (tmp_path / "stock.graphql").write_text(STOCK)
    (tmp_path / "subgraphs.json").write_text(
        json.dumps(
            [
                {"name": "catalog", "url": "http://127.0.0.1:1/", "sdl": CATALOG},
                {"name": "stock", "url": "http://127.0.0.1:1/", "sdl": STOCK},
            ]
        )
    )
    (tmp_path / "shelf.graphql").write_text(OPERATION)
    return tmp_path


def run(*arguments: object) -> str:
    result = runner.invoke(app, [str(each) for each in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def fails(*arguments: object) -> str:
    result = runner.invoke(app, [str(each) for each in arguments])
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    return result.output


def test_composes_files_and_lists(folder: Path) -> None:
    out = folder / "supergraph.graphql"
    run("compose", folder / "catalog.graphql", folder / "stock.graphql", "--out", out)
    assert set(read_supergraph(out.read_text()).subgraphs) == {"catalog", "stock"}
    assert "http://127.0.0.1:1/" in run("compose", folder / "subgraphs.json")


def test_prints_every_stage(folder: Path) -> None:
    operation, graph = folder / "shelf.graphql", ("--subgraphs", folder / "subgraphs.json")
    assert "type Product" in run("api-schema", *graph)
    assert "join__" not in run("api-schema", *graph)
    assert run("normalize", operation, *graph).startswith("query Shelf($more: Boolean = true)")
    assert run("graph", *graph).startswith("digraph")
    assert "Product.stock" in run("paths", operation, *graph)
    assert "step 0" in run("fetch-graph", operation, *graph)
    text = run("plan", operation, *graph, "--code")
    assert 'Fetch(service: "stock")' in text
    assert "def object_" in text
    assert "def group(tree)" in text
    assert json.loads(run("plan", operation, *graph, "--json"))
    assert run("check", operation, *graph).startswith("the plan is sound: 2 requests")


def test_reads_the_operation_from_standard_input(folder: Path) -> None:
    result = runner.invoke(app, ["check", "-", "--subgraphs", str(folder / "subgraphs.json")], input=OPERATION)
    assert result.exit_code == 0


def test_mistakes_are_told_in_a_sentence(folder: Path) -> None:
    operation, graph = folder / "shelf.graphql", folder / "subgraphs.json"
    assert "can't be read" in fails("plan", folder / "none.graphql", "--subgraphs", graph)
    assert "not both" in fails("plan", operation, "--subgraphs", graph, "--supergraph", graph)
    (folder / "bad.graphql").write_text("{ nope }")
    assert "not valid on this graph" in fails("plan", folder / "bad.graphql", "--subgraphs", graph)
    (folder / "broken.graphql").write_text("{")
    assert "Syntax Error" in fails("plan", folder / "broken.graphql", "--subgraphs", graph)
    assert "broken.graphql" in fails("api-schema", "--supergraph", folder / "broken.graphql")
    (folder / "list.json").write_text('[{"name": 1}]')
    assert "name, url and sdl" in fails("compose", folder / "list.json")
    (folder / "clash.graphql").write_text("type Query { a: Nope }")
    assert "do not compose" in fails("compose", folder / "clash.graphql")
    assert "unknown operation" in fails("normalize", operation, "--subgraphs", graph, "--name", "Other")
    assert "is no file" in fails("serve", "--supergraph", folder / "none.graphql")


def test_serve_says_why_it_can_not_start(folder: Path) -> None:
    (folder / "supergraph.graphql").write_text("type Query { a: Int }")
    assert "supergraph.graphql" in fails("serve", "--supergraph", folder / "supergraph.graphql")
    run("compose", folder / "subgraphs.json", "--out", folder / "good.graphql")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = fails("serve", "--supergraph", folder / "good.graphql", "--port", port)
    assert f"127.0.0.1:{port}" in told
    assert "MARQUEE_GATEWAY_PORT" in told


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_serves_alone_and_ends_at_a_signal(folder: Path) -> None:
    port = _free_port()
    environment = {**os.environ, "PYTHONWARNINGS": "default"}
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gateway.cli",
            "serve",
            "--subgraphs",
            str(folder / "subgraphs.json"),
            "--port",
            str(port),
        ],
        stderr=subprocess.PIPE,
        env=environment,
    ) as gateway:
        try:
            end = time.monotonic() + 30
            while True:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as response:
                        assert json.load(response)["ready"] is True
                        break
                except OSError:
                    assert gateway.poll() is None
                    assert time.monotonic() < end
                    time.sleep(0.05)
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/graphql",
                b'{"query":"{ __typename products { name } }"}',
                {"content-type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=10) as response:
                answer = json.load(response)
            assert answer["data"] is None
            assert [error["path"] for error in answer["errors"]] == [["products"]]
            assert answer["errors"][0]["extensions"]["code"] == "SUBREQUEST_CONNECT_FAILED"
        finally:
            gateway.send_signal(signal.SIGTERM)
            _, log = gateway.communicate(timeout=20)
    assert gateway.returncode in {0, -signal.SIGTERM}
    assert not re.search(rb"Traceback|Warning", log), log.decode()


TAGGED = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@tag"])
type Query { shelf: Shelf cost: Int @tag(name: "internal") }
type Shelf { name: String @tag(name: "tv") cost: Int @tag(name: "internal") }
"""


def test_variants_by_tags(tmp_path: Path) -> None:
    """`compose` and `api-schema` show what a contract leaves; what it breaks is told, and the exit code with it."""
    (tmp_path / "shop.graphql").write_text(TAGGED)
    whole = tmp_path / "whole.graphql"
    run("compose", tmp_path / "shop.graphql", "--out", whole)

    variant = run("compose", tmp_path / "shop.graphql", "--exclude-tag", "internal")
    shown = run("api-schema", "--supergraph", whole, "--exclude-tag", "internal", "--hide-unreachable")

    assert variant.count("@inaccessible") == 3  # its definition and two fields
    assert "cost" not in shown
    assert "name: String" in shown
    assert "REFERENCED_INACCESSIBLE" not in shown
    broken = fails("api-schema", "--supergraph", whole, "--include-tag", "tv")
    assert "QUERY_ROOT_TYPE_INACCESSIBLE" in broken
