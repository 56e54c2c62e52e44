"""Directives that composition carries on and answers do not depend on: access, tags, costs, custom ones, deprecations."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation, find_in

FILMS: list[dict[str, Any]] = [
    {"__typename": "Film", "id": key, "title": f"film {key}", "takings": 100, "mark": f"m{key}"} for key in "12"
]

FEDERATION = Federation(
    subgraphs={
        "films": """
            extend schema
              @link(url: "https://specs.apollo.dev/federation/v2.9", import: [
                "@key", "@tag", "@authenticated", "@requiresScopes", "@policy", "@cost", "@listSize", "@composeDirective",
                "@shareable"])
              @link(url: "https://example.com/shown/v1.0", import: ["@shown"])
              @composeDirective(name: "@shown")
            directive @shown(where: String!) on FIELD_DEFINITION
            "Everything starts here."
            type Query {
              films(first: Int): [Film!]! @listSize(slicingArguments: ["first"], requireOneSlicingArgument: false) @tag(name: "tv")
              account: Secret @authenticated
            }
            type Film @key(fields: "id") {
              id: ID! @tag(name: "tv")
              "What stands on the poster."
              title: String! @shown(where: "everywhere") @cost(weight: 3)
              oldTitle: String @deprecated(reason: "Use `title`.")
              takings: Int @requiresScopes(scopes: [["money", "read"], ["admin"]]) @shareable
            }
            type Secret @policy(policies: [["owner"]]) { text: String }
        """,
        "takings": """
            type Film @key(fields: "id") { id: ID! takings: Int @requiresScopes(scopes: [["audit"]]) @shareable mark: String @authenticated }
        """,
    },
    as_is=("films",),
    roots={"films": lambda first=2: FILMS[:first], "account": lambda: {"__typename": "Secret", "text": "shh"}},
    find=find_in(*FILMS),
    fields={"Film.oldTitle": lambda film: film["title"].upper()},
)
