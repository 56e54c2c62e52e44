"""Holds answers against the authorization table, fact by fact and as whole texts.

The owner's answer shows what there is to see. From it and from the table follows what every other viewer's answer may
hold, and what must stand nowhere in it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from stack.authorization_table import AuthorizationTable, Outcome, ViewerKind
from tests.support.households import Households
from tests.support.operation_tree import Fact
from tests.support.planted_catalogue import PlantedCatalogue
from tests.support.whole_graph import GraphAnswer

__all__ = ["Verdicts"]

EXPECTED_ERRORS = frozenset({"NOT_FOUND", "PAGE_EXPIRED", "PERMISSION_DENIED", "UNAUTHENTICATED"})
"""Codes of refusals; any other means that the question was not understood or that something broke."""
OF_THE_INSTANT = frozenset({"PlanChangePreview.takesEffectAt"})
"""Fields that are computed from the request's own instant."""
GENERAL_REFUSALS = frozenset({"NotPermitted", "NotSignedIn", "NoProfileSelected"})
SECRET_LENGTH = 8
"""Shorter texts, such as language codes, occur everywhere."""
PROBLEMS_SHOWN = 40


class Verdicts:
    """What was looked at: problems in words, cells by road, and the fields that somebody saw something in."""

    def __init__(self, table: AuthorizationTable, households: Households, catalogue: PlantedCatalogue) -> None:
        self.table = table
        self.problems: list[str] = []
        self.cells: Counter[str] = Counter()
        self.seen: dict[str, set[str]] = {}
        self._households = households
        self._catalogue = catalogue
        self._now = datetime.now(UTC)
        self._owners_texts: set[tuple[str, str]] = set()
        self._usual: dict[ViewerKind, set[str]] = {ViewerKind.OTHER_ACCOUNT: set(), ViewerKind.STUDIO: set()}

    def report(self) -> str:
        """The first problems, a line each; empty when there are none."""
        if not self.problems:
            return ""
        return "\n".join([f"{len(self.problems)} problems", *self.problems[:PROBLEMS_SHOWN]])

    def judge(
        self,
        place: str,
        road: str,
        facts: Mapping[ViewerKind, Sequence[Fact]],
        answers: Mapping[ViewerKind, GraphAnswer],
        *,
        asked: str,
    ) -> None:
        """Hold everybody's answer against the table."""
        self.learn(facts)
        by_kind = {kind: _by_coordinate(found) for kind, found in facts.items()}
        for coordinate in sorted({each for found in by_kind.values() for each in found}):
            row = self.table.fields.get(coordinate)
            if row is None:
                self.problem(place, f"{coordinate} was answered and is in no row of the table")
                continue
            if any(not _is_blank(fact.value) for found in by_kind.values() for fact in found.get(coordinate, ())):
                self.seen.setdefault(coordinate, set()).add(road)
            for kind in ViewerKind:
                self.cells[road] += 1
                self._judge_cell(place, coordinate, kind, by_kind, answers[kind])
        for kind in ViewerKind:
            self.judge_text(place, kind, answers[kind], asked)

    def judge_mutation(
        self,
        place: str,
        road: str,
        kind: ViewerKind,
        coordinate: str,
        answer: GraphAnswer,
        facts: Sequence[Fact],
        asked: Mapping[str, Any],
    ) -> None:
        """Hold one viewer's answer to a mutation against its row: which result it is, and what stands in it."""
        self.cells[road] += 1
        cell = self.table.fields[coordinate].cells[kind]
        where = f"{place} ({cell})"
        if cell.look == "401":
            self._judge_denial(where, cell.look, kind, (), (), answer)
            return
        result = next(iter((answer.body.get("data") or {"": None}).values()))
        type_name = result["__typename"] if isinstance(result, dict) else None
        refusals = {each.look for each in self.table.fields[coordinate].cells.values()} | GENERAL_REFUSALS
        is_refused = type_name is None or type_name in refusals
        if cell.outcome is Outcome.DENY and type_name != cell.look:
            self.problem(where, f"answered {type_name}: {answer.text[:160]}")
        if cell.outcome is not Outcome.DENY and is_refused:
            self.problem(where, f"refused with {answer.text[:160]}")
        self.judge_text(place, kind, _without(answer, asked), "")
        for fact in facts:
            row = self.table.fields.get(fact.coordinate)
            if row is None:
                self.problem(place, f"{fact.coordinate} was answered and is in no row of the table")
            elif not _is_blank(fact.value):
                self.seen.setdefault(fact.coordinate, set()).add(road)
                is_denied = row.cells[kind].outcome is Outcome.DENY and not fact.coordinate.startswith("Mutation.")
                if is_denied and self._owners_ids(kind) & _ids(fact):
                    self.problem(place, f"shows the owner's {fact.value!r} at {fact.path}")

    def compare(self, place: str, seen: GraphAnswer, asked: Any, missing: GraphAnswer, asked_missing: Any) -> None:
        """What exists and is denied, and what does not exist, give the same answer but for the ids asked for."""
        one, other = _without(seen, asked), _without(missing, asked_missing)
        if (one.status, one.text) != (other.status, other.text):
            self.problem(place, f"can be told from what does not exist: {one.text[:150]} and {other.text[:150]}")

    def _judge_cell(
        self,
        place: str,
        coordinate: str,
        kind: ViewerKind,
        by_kind: Mapping[ViewerKind, Mapping[str, Sequence[Fact]]],
        answer: GraphAnswer,
    ) -> None:
        cell = self.table.fields[coordinate].cells[kind]
        found = by_kind[kind].get(coordinate, ())
        owners = by_kind[ViewerKind.OWNER].get(coordinate, ())
        where = f"{place}, {coordinate} as {kind} ({cell})"
        match cell.outcome:
            case Outcome.ALLOW if self._is_for_owner_too(coordinate, kind):
                seen, wanted = _by_holder(found), _by_holder(owners)
                differing = [key for key in seen.keys() & wanted.keys() if seen[key] != wanted[key]]
                if differing:
                    self.problem(where, f"differs from what the owner sees at {differing[:2]}")
            case Outcome.OWN if self.table.fields[coordinate].rule == "personal":
                own_holders = {self._households.viewer(kind).profile_id, self._households.viewer(kind).account_id}
                shown = [fact for fact in found if not _is_blank(fact.value) and not own_holders & _ids(fact)]
                if shown and not _is_frame(shown):
                    self.problem(where, f"shows {shown[0].value!r} at {shown[0].path}")
            case Outcome.DENY:
                self._judge_denial(where, cell.look, kind, found, owners, answer)
            case _:
                pass

    def _is_for_owner_too(self, coordinate: str, kind: ViewerKind) -> bool:
        """Whether what is allowed can be compared with what the owner sees, which must not depend on the instant."""
        owners = self.table.fields[coordinate].cells[ViewerKind.OWNER].outcome
        is_comparable = owners is not Outcome.DENY and coordinate not in OF_THE_INSTANT
        return kind is not ViewerKind.OWNER and is_comparable

    def _judge_denial(
        self,
        where: str,
        look: str,
        kind: ViewerKind,
        found: Sequence[Fact],
        owners: Sequence[Fact],
        answer: GraphAnswer,
    ) -> None:
        match look:
            case "401":
                error = answer.body.get("errors", [{}])[0].get("extensions", {})
                if answer.status != 401 or error.get("code") != "UNAUTHENTICATED" or "data" in answer.body:
                    self.problem(where, f"answered with {answer.status}")
            case "blank" | "null":
                shown = [fact for fact in found if not _is_blank(fact.value)]
                if shown:
                    self.problem(where, f"shows {shown[0].value!r} at {shown[0].path}")
            case "absent" | "error":
                belonging = self._owners_ids(kind)
                shown = [fact for fact in found if belonging & _ids(fact) and not _is_blank(fact.value)]
                if shown:
                    self.problem(where, f"shows the owner's {shown[0].value!r} at {shown[0].path}")
                if look == "error" and owners and found and not answer.body.get("errors"):
                    silent = [fact for fact in found if belonging & _ids(fact)]
                    if silent:
                        self.problem(where, "is empty without an error beside it")
            case _:
                result = next(iter((answer.body.get("data") or {"": None}).values()))
                if not isinstance(result, dict) or result["__typename"] != look:
                    self.problem(where, f"answered {answer.text[:160]}")

    def _owners_ids(self, kind: ViewerKind) -> set[str]:
        """Whose things these are: for the household the profile alone, for others the account too."""
        owner = self._households.owner
        ids = {owner.profile_id, self._households.session_id}
        if self._households.viewer(kind).account_id != owner.account_id:
            ids.add(owner.account_id)
            for profile_kind in (ViewerKind.OTHER_PROFILE, ViewerKind.KIDS):
                ids.add(self._households.viewer(profile_kind).profile_id or "")
        return ids

    def judge_text(self, place: str, kind: ViewerKind, answer: GraphAnswer, asked: str) -> None:
        """Nothing of the owner's, and nothing of a forbidden title, stands anywhere in the answer."""
        for error in answer.body.get("errors", ()):
            if error.get("extensions", {}).get("code") not in EXPECTED_ERRORS:
                self.problem(f"{place} as {kind}", f"failed: {error}")
        if kind in {ViewerKind.OWNER, ViewerKind.EXPIRED}:
            return
        for secret in self._secrets(kind):
            if secret in answer.text and secret not in asked:
                self.problem(f"{place} as {kind}", f"the answer holds the owner's {secret!r}")
        for leak in self._forbidden_texts(place, kind, answer, asked):
            self.problem(f"{place} as {kind}", f"the answer holds {leak!r} of a title that is not for this viewer")

    def _forbidden_texts(self, place: str, kind: ViewerKind, answer: GraphAnswer, asked: str) -> Iterator[str]:
        """Ids and names of forbidden titles in an answer. An id that was asked for may stand in an error's words."""
        data = json.dumps(answer.body.get("data"), ensure_ascii=False)
        viewer = self._households.viewer(kind)
        for title in self._catalogue.forbidden(viewer, self._now):
            if place.startswith("comingSoon") and self._catalogue.is_announced(viewer, title, self._now):
                continue
            if title.id in (data if title.id in asked else answer.text):
                yield title.id
            if title.display_name in answer.text:
                yield title.display_name

    def is_forbidden(self, kind: ViewerKind, own_id: str) -> bool:
        """Whether an id, or an image's id, is of a title or of a season that is not for this viewer."""
        title_id = own_id.partition("~")[0]
        season = next((season for season in self._catalogue.seasons if season.id == own_id), None)
        return any(
            title.id in {title_id, season and season.series_id}
            for title in self._catalogue.forbidden(self._households.viewer(kind), self._now)
        )

    def learn(self, facts: Mapping[ViewerKind, Sequence[Fact]]) -> None:
        """Remember what the owner saw, by where it stood, and what every account has of its own."""
        self._owners_texts |= {(fact.coordinate, fact.value) for fact in facts[ViewerKind.OWNER] if _is_telling(fact)}
        for kind, usual in self._usual.items():
            viewer = self._households.viewer(kind)
            own = {viewer.account_id, viewer.profile_id, self._households.sessions.get(kind)}
            usual |= {fact.value for fact in facts.get(kind, ()) if _is_telling(fact) and own & _ids(fact)}

    def _secrets(self, kind: ViewerKind) -> set[str]:
        """Texts that the owner saw in fields that are denied to this viewer, and in none that is not."""
        denied, shown = set[str](), set[str]()
        for coordinate, text in self._owners_texts:
            row = self.table.fields.get(coordinate)
            if row is not None:
                (denied if row.cells[kind].outcome is Outcome.DENY else shown).add(text)
        # What two strangers have, too, each of their own, is nobody's secret: names of kinds and purposes.
        return denied - shown - set.intersection(*self._usual.values())

    def problem(self, where: str, what: str) -> None:
        """One thing that is not as the table says."""
        self.problems.append(f"{where}: {what}"[:400])


def _without(answer: GraphAnswer, asked: Any) -> GraphAnswer:
    """The answer without the texts that were sent: saying them again tells nothing."""
    text = answer.text
    for sent in sorted(_texts(asked), key=len, reverse=True):
        text = text.replace(sent, "ASKED")
    return GraphAnswer(answer.status, text, json.loads(text))


def _texts(asked: Any) -> Iterator[str]:
    if isinstance(asked, str):
        # Short ones, such as a name's initial, stand everywhere.
        if len(asked) >= SECRET_LENGTH and not asked.isupper():
            yield asked
    elif isinstance(asked, Mapping):
        for each in asked.values():
            yield from _texts(each)
    elif isinstance(asked, list):
        for each in asked:
            yield from _texts(each)


def _by_coordinate(facts: Sequence[Fact]) -> dict[str, list[Fact]]:
    """Also under the interface's coordinate, where a fact was asked by it."""
    found: dict[str, list[Fact]] = {}
    for fact in facts:
        found.setdefault(fact.coordinate, []).append(fact)
        if fact.interface is not None:
            found.setdefault(fact.interface, []).append(fact)
    return found


def _by_holder(facts: Sequence[Fact]) -> dict[tuple[Any, ...], Any]:
    """Values by the object that they belong to and the way from there: what two answers can be compared by."""
    values: dict[tuple[Any, ...], Any] = {}
    for fact in facts:
        if fact.holders:
            values.setdefault((fact.holders[-1], fact.coordinate, fact.path[-2:]), fact.value)
        else:
            values.setdefault((None, fact.coordinate, fact.path), fact.value)
    return values


def _ids(fact: Fact) -> set[str]:
    return {holder_id for _, holder_id in fact.holders}


def _is_telling(fact: Fact) -> bool:
    return isinstance(fact.value, str) and len(fact.value) >= SECRET_LENGTH


def _is_blank(value: Any) -> bool:
    return not value or (isinstance(value, list) and not any(value))


def _is_frame(facts: Sequence[Fact]) -> bool:
    """Whether these are parts of an object whose own place is judged by itself, as those of Progress are."""
    return all(fact.coordinate.split(".")[0] in {"Progress", "Rating"} for fact in facts)
