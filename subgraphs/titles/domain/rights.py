"""What a title's facts are once its parent has its say.

An episode is shown only with its series, a video only with the film or series that it is of. Other services hear of
one title at a time; the facts in a snapshot are therefore the narrower of both.
"""

from __future__ import annotations

from datetime import datetime

from common.tokens import Viewer
from subgraphs.kernel.policy import EVERYWHERE, TitleFacts, Window, decide
from subgraphs.titles.domain.title import Title

__all__ = ["effective_facts", "facts_within", "next_opening"]


def effective_facts(title: Title, parent: Title | None) -> TitleFacts:
    """The facts by which `title` is shown; `parent` is the title of its `parent_id`, when it has one that exists."""
    return title.facts if parent is None else facts_within(title.facts, parent.facts)


def facts_within(inner: TitleFacts, outer: TitleFacts) -> TitleFacts:
    """Facts under which a viewer may see exactly what they may see under both."""
    windows = (_overlap(one, other) for one in inner.windows for other in outer.windows)
    return TitleFacts(
        minimum_age=max(inner.minimum_age, outer.minimum_age),
        is_kids=inner.is_kids and outer.is_kids,
        # In order and once each, so that the same facts make the same snapshot.
        windows=tuple(dict.fromkeys(window for window in windows if window is not None)),
        blocked_countries=inner.blocked_countries | outer.blocked_countries,
        is_withdrawn=inner.is_withdrawn or outer.is_withdrawn,
    )


def next_opening(viewer: Viewer, facts: TitleFacts, now: datetime) -> datetime | None:
    """The next instant at which the viewer may see a title that they may not see now, when only the clock says no.

    The policy decides, asked about that instant: who will not be let in then is told nothing now.
    """
    if decide(viewer, facts, now).may_see:
        return None
    countries = {EVERYWHERE, viewer.country}
    openings = {
        window.opens_at
        for window in facts.windows
        if window.opens_at is not None and window.opens_at > now and window.country in countries
    }
    return next((instant for instant in sorted(openings) if decide(viewer, facts, instant).may_see), None)


def _overlap(one: Window, other: Window) -> Window | None:
    if EVERYWHERE not in {one.country, other.country} and one.country != other.country:
        return None
    country = other.country if one.country == EVERYWHERE else one.country
    opens = [instant for instant in (one.opens_at, other.opens_at) if instant is not None]
    closes = [instant for instant in (one.closes_at, other.closes_at) if instant is not None]
    opens_at, closes_at = max(opens, default=None), min(closes, default=None)
    if opens_at is not None and closes_at is not None and closes_at <= opens_at:
        return None
    return Window(country, opens_at, closes_at)
