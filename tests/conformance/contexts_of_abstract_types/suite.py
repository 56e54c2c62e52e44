"""Contexts set by interfaces, by some types of a place only, by the query root, and filled in interface objects.

As in the suite beside: on one server the objects carry down what the nearest object above them sets.
"""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation

KINDS = {"1": "Kid", "2": "Adult", "3": "Guest", "4": "Adult"}
MEDIA = {"m1": "Movie", "m2": "Song"}


def _below(above: dict[str, Any], **own: Any) -> dict[str, Any]:
    return {"_person": above.get("_person"), "_tone": above.get("_tone"), **own}


def _person(key: str, above: dict[str, Any]) -> dict[str, Any]:
    return _below(above, __typename=KINDS[key], id=key)


def _tone(person: dict[str, Any]) -> str:
    """Kids and adults set a tone of their own; guests leave the house's."""
    kind, key = person["__typename"], person["id"]
    return {"Kid": f"soft {key}", "Adult": f"rough {key}"}.get(kind) or person.get("_tone") or "house tone"


def _entered(person: dict[str, Any], **own: Any) -> dict[str, Any]:
    """Something that stands below a person."""
    return {"_person": f"{person['__typename']}-{person['id']}", "_tone": _tone(person), **own}


def _note(media: dict[str, Any], **given: Any) -> str:
    return f"note {media['id']} {given.get('tone', media.get('_tone') or 'house tone')}"


def _greeting(card: dict[str, Any], **given: Any) -> str:
    return f"hello {given['badge'] if given else card['_person']}"


def _media(key: str) -> dict[str, Any]:
    return {"__typename": MEDIA[key], "id": key}


def _find(name: str, key: dict[str, Any]) -> dict[str, Any]:
    if name in ("Media", *MEDIA.values()):
        return _media(key["id"])
    if name in ("Person", *KINDS.values()):
        return {"__typename": KINDS[key["id"]], "id": key["id"]}
    return {"__typename": name, **key}


PEOPLE = """
    interface Person @key(fields: "id") { id: ID! nick: String! }
    type Kid implements Person @key(fields: "id") { id: ID! nick: String! }
    type Adult implements Person @key(fields: "id") { id: ID! nick: String! }
    type Guest implements Person @key(fields: "id") { id: ID! nick: String! }
"""

FEDERATION = Federation(
    subgraphs={
        "people": PEOPLE + "type Query { people: [Person!]! person(id: ID!): Person }",
        "homes": """
            type Query @context(name: "tone") { houseTone: String! homes: [Home!]! front: Media! again: Again! }
            type Again { query: Query! }
            type Home { owner: Person! }
            interface Person @key(fields: "id") @context(name: "person") { id: ID! badge: String! card: Card! friend: Person! }
            type Kid implements Person @key(fields: "id") @context(name: "tone") {
              id: ID! badge: String! card: Card! friend: Person! kidTone: String! media: Media!
            }
            type Adult implements Person @key(fields: "id") @context(name: "tone") {
              id: ID! badge: String! card: Card! friend: Person! adultTone: String! media: Media!
            }
            type Guest implements Person @key(fields: "id") {
              id: ID! badge: String! card: Card! friend: Person! media: Media!
            }
            type Card @key(fields: "id") {
              id: ID!
              greeting(badge: String! @fromContext(field: "$person { badge }")): String
              kind(of: String @fromContext(field: "$person { __typename }")): String
              media: Media!
            }
            type Media @interfaceObject @key(fields: "id") {
              id: ID!
              note(tone: String @fromContext(field:
                "$tone { ... on Kid { kidTone } ... on Adult { adultTone } ... on Query { houseTone } }")): String
            }
        """,
        "media": """
            type Query { media: [Media!]! }
            interface Media @key(fields: "id") { id: ID! length: Int! }
            type Movie implements Media @key(fields: "id") { id: ID! length: Int! stars: Int }
            type Song implements Media @key(fields: "id") { id: ID! length: Int! tempo: Int }
        """,
    },
    roots={
        "people": lambda: [_person(key, {}) for key in KINDS],
        "person": lambda **key: _person(key["id"], {}) if key["id"] in KINDS else None,
        "houseTone": lambda: "house tone",
        "homes": lambda: [{"__typename": "Home", "id": key} for key in KINDS],
        "front": lambda: _media("m1"),
        "again": lambda: {"__typename": "Again", "query": {"__typename": "Query"}},
        "media": lambda: [_media(key) for key in MEDIA],
    },
    find=_find,
    fields={
        **{f"{kind}.nick": lambda person: f"nick {person['id']}" for kind in KINDS.values()},
        **{f"{kind}.badge": lambda person: f"{person['__typename']}-{person['id']}" for kind in KINDS.values()},
        **{
            f"{kind}.card": lambda person: _entered(person, __typename="Card", id="c1", _of=person["__typename"])
            for kind in KINDS.values()
        },
        **{
            f"{kind}.friend": lambda person: {
                **_entered(person),
                **_person(str(int(person["id"]) % 4 + 1), {}),
                "_tone": _tone(person),
            }
            for kind in KINDS.values()
        },
        **{
            f"{kind}.media": lambda person: _entered(person, **_media("m1" if person["id"] < "3" else "m2"))
            for kind in KINDS.values()
        },
        "Kid.kidTone": _tone,
        "Adult.adultTone": _tone,
        "Home.owner": lambda home: _person(home["id"], {}),
        "Card.greeting": _greeting,
        "Card.kind": lambda card, **given: given.get("of", card.get("_of")),
        "Card.media": lambda card: {**_below(card), **_media("m2")},
        "Media.note": _note,
        "Movie.note": _note,
        "Song.note": _note,
        **{f"{kind}.length": lambda media: len(media["id"]) for kind in MEDIA.values()},
        "Movie.stars": lambda movie: 5,
        "Song.tempo": lambda song: 120,
    },
)
