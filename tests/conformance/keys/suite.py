"""Keys of all kinds: several per type, composite, nested, in a chain, of interfaces, not resolvable, null, of nobody."""

from __future__ import annotations

from typing import Any

from tests.support.federation import Federation, find_in

CASTLE: dict[str, Any] = {"__typename": "Building", "code": "castle"}
PEOPLE: list[dict[str, Any]] = [
    {
        "__typename": "Person",
        "id": "p1",
        "email": "ann@x",
        "number": 1,
        "salary": 100,
        "desk": {"__typename": "Desk", "building": CASTLE, "floor": 2, "view": "sea"},
    },
    {"__typename": "Person", "id": "p2", "email": "bob@x", "number": 2, "salary": None, "desk": None},
]
NOBODY: dict[str, Any] = {"__typename": "Person", "id": "p3", "email": "nobody@x", "number": None, "salary": None}
BADGES: list[dict[str, Any]] = [
    {"__typename": "Badge", "owner": person, "color": color, "doors": [color, "all"]}
    for person, color in zip(PEOPLE, ("red", "blue"), strict=True)
]
for _person, _badge in zip(PEOPLE, BADGES, strict=True):
    _person["badge"] = _badge
ANIMALS: list[dict[str, Any]] = [
    {"__typename": "Cat", "id": "a1", "name": "Tom", "weight": 4, "indoor": True, "tag": "t1", "chip": "on t1"},
    {"__typename": "Dog", "id": "a2", "name": "Rex", "weight": 30, "trained": None, "tag": None, "chip": None},
]
DESKS = [PEOPLE[0]["desk"]]

FEDERATION = Federation(
    subgraphs={
        "people": """
            type Query { people: [Person!]! person(id: ID!): Person }
            type Person @key(fields: "id") { id: ID! }
        """,
        "staff": """
            type Person @key(fields: "id") @key(fields: "email") { id: ID! email: String! number: Int @shareable }
        """,
        "payroll": """
            type Person @key(fields: "number") { number: Int salary: Int desk: Desk }
            type Desk @key(fields: "building { code } floor", resolvable: false) { building: Building! floor: Int! }
            type Building @shareable { code: ID! }
        """,
        "places": """
            type Query { desks: [Desk!]! }
            type Desk @key(fields: "floor building { code }") { building: Building! floor: Int! view: String! }
            type Building @shareable { code: ID! }
        """,
        "badges": """
            type Query { badges: [Badge!]! }
            type Person @key(fields: "email") { email: String! badge: Badge }
            type Badge @key(fields: "owner { email }") { owner: Person! color: String! }
        """,
        "gates": """
            type Badge @key(fields: "owner { email }") { owner: Person! doors: [String!]! }
            type Person @key(fields: "email", resolvable: false) { email: String! }
        """,
        "zoo": """
            type Query { animals: [Animal!]! }
            interface Animal @key(fields: "id") { id: ID! name: String! }
            type Cat implements Animal @key(fields: "id") { id: ID! name: String! tag: String @shareable }
            type Dog implements Animal @key(fields: "id") { id: ID! name: String! tag: String @shareable }
        """,
        "vet": """
            type Query { patients: [Animal!]! }
            interface Animal @key(fields: "id") { id: ID! weight: Int! }
            type Cat implements Animal @key(fields: "id") { id: ID! weight: Int! indoor: Boolean! }
            type Dog implements Animal @key(fields: "id") { id: ID! weight: Int! trained: Boolean }
        """,
        "chips": """
            type Cat @key(fields: "tag") { tag: String chip: String }
            type Dog @key(fields: "tag") { tag: String chip: String }
        """,
    },
    roots={
        "people": lambda: [*PEOPLE, NOBODY],
        "person": lambda **key: next((each for each in PEOPLE if each["id"] == key["id"]), None),
        "desks": lambda: DESKS,
        "badges": lambda: BADGES,
        "animals": lambda: ANIMALS,
        "patients": lambda: ANIMALS,
    },
    find=find_in(*PEOPLE, *BADGES, *ANIMALS, *DESKS),
)
