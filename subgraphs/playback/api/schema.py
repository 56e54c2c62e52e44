# strawberry.field with arguments is typed as Any; the resolvers below it are typed in full.
# mypy: disable-error-code="untyped-decorator"

"""Playback's schema."""

import strawberry

from subgraphs.kernel.entities import build_schema
from subgraphs.kernel.ids import SessionId
from subgraphs.playback.api.context import PlaybackInfo
from subgraphs.playback.api.downloads import Account, DownloadMutations
from subgraphs.playback.api.history import HistoryMutations
from subgraphs.playback.api.mutations import PlayMutations
from subgraphs.playback.api.profiles import Profile
from subgraphs.playback.api.sessions import PlaybackSession, session_of
from subgraphs.playback.api.titles import Title

__all__ = ["schema"]


@strawberry.type
class Query:
    """Reads from the root."""

    @strawberry.field(description="The viewer's own session; null otherwise.")
    async def playback_session(self, info: PlaybackInfo, id: strawberry.ID) -> PlaybackSession | None:  # noqa: A002
        """Also after a stop, for as long as its token lives."""
        viewer = info.context.viewer
        session = await info.context.services.sessions.get(SessionId(id))
        if session is None or viewer.profile_id is None:
            return None
        if (session.account_id, session.profile_id) != (viewer.account_id, viewer.profile_id):
            return None
        return session_of(session, info.context.services.heartbeat_interval_s)


@strawberry.type
class Mutation(PlayMutations, HistoryMutations, DownloadMutations):
    """Writes."""


schema = build_schema(query=Query, mutation=Mutation, types=[Title, Profile, Account])
