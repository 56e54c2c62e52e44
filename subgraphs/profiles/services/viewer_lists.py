"""My List, ratings and thumbs: what a profile notes about titles that it may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from common.tokens import Viewer
from subgraphs.kernel.ids import ProfileId, TitleId
from subgraphs.kernel.policy import decide
from subgraphs.profiles.domain.accounts import Profile
from subgraphs.profiles.domain.lists import ListEntry, Rating, Thumb
from subgraphs.profiles.domain.outcomes import Invalid, ListFull, TitleMissing
from subgraphs.profiles.domain.rules import HouseholdRules
from subgraphs.profiles.ports import ListStore, TitleFactsStore
from subgraphs.profiles.services.events import list_changed, title_rated, title_thumbed

__all__ = ["ViewerLists", "visible_entries"]

MIN_STARS, MAX_STARS = 1, 5


@dataclass(frozen=True, slots=True)
class ViewerLists:
    """The service; callers have made sure that `profile_id` is the viewer's selected, existing profile."""

    lists: ListStore
    titles: TitleFactsStore
    rules: HouseholdRules
    on_commit: Callable[[], None]

    async def add(
        self, viewer: Viewer, profile_id: ProfileId, title_id: TitleId, now: datetime
    ) -> TitleMissing | ListFull | None:
        """Put a title on the list; again changes nothing."""
        if not await self._may_see(viewer, title_id, now):
            return TitleMissing(title_id)
        limit = self.rules.max_list_length
        events = [list_changed(profile_id, title_id, now, in_list=True)]
        if not await self.lists.add_entry(profile_id, title_id, now, max_entries=limit, events=events):
            return ListFull(limit)
        self.on_commit()
        return None

    async def remove(
        self, viewer: Viewer, profile_id: ProfileId, title_id: TitleId, now: datetime
    ) -> TitleMissing | None:
        """Take a title off the list; again changes nothing."""
        if not await self._may_see(viewer, title_id, now):
            return TitleMissing(title_id)
        await self.lists.remove_entry(profile_id, title_id, [list_changed(profile_id, title_id, now, in_list=False)])
        self.on_commit()
        return None

    async def rate(
        self, viewer: Viewer, profile_id: ProfileId, title_id: TitleId, stars: int | None, now: datetime
    ) -> TitleMissing | Invalid | None:
        """Rate with 1 to 5 stars, or clear with None."""
        if stars is not None and not MIN_STARS <= stars <= MAX_STARS:
            return Invalid({"stars": f"is {stars}; give {MIN_STARS} to {MAX_STARS}, or null to clear"})
        if not await self._may_see(viewer, title_id, now):
            return TitleMissing(title_id)
        rating = None if stars is None else Rating(stars, now)
        await self.lists.set_rating(profile_id, title_id, rating, [title_rated(profile_id, title_id, stars, now)])
        self.on_commit()
        return None

    async def thumb(
        self, viewer: Viewer, profile_id: ProfileId, title_id: TitleId, thumb: Thumb | None, now: datetime
    ) -> TitleMissing | None:
        """Say what the profile thinks, or take it back with None."""
        if not await self._may_see(viewer, title_id, now):
            return TitleMissing(title_id)
        events = [title_thumbed(profile_id, title_id, thumb, now)]
        await self.lists.set_thumb(profile_id, title_id, thumb, now, events)
        self.on_commit()
        return None

    async def _may_see(self, viewer: Viewer, title_id: TitleId, now: datetime) -> bool:
        known = (await self.titles.titles_by_id([title_id])).get(title_id)
        return known is not None and decide(viewer, known.facts, now).may_see


def visible_entries(
    entries: tuple[ListEntry, ...], profile: Profile, viewer: Viewer, now: datetime
) -> tuple[ListEntry, ...]:
    """The entries that both the list's owner and whoever reads it may see now.

    Both: a kids profile that reads a parent's list must not learn its titles, and a list stays within its profile's
    limits for everybody.
    """
    owner = replace(viewer, profile_id=profile.id, is_kids=profile.is_kids, maturity=profile.maturity_limit)
    return tuple(
        entry
        for entry in entries
        if entry.facts is not None
        and decide(owner, entry.facts, now).may_see
        and decide(viewer, entry.facts, now).may_see
    )
