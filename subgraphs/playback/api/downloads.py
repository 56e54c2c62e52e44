# strawberry.field with arguments is typed as Any; the resolvers below it are typed in full.
# mypy: disable-error-code="untyped-decorator"

"""Downloads in the graph: what a profile keeps on which device, and which devices keep something."""

from datetime import datetime
from typing import Annotated, Self

import strawberry
import strawberry.federation

from subgraphs.kernel.ids import AccountId, TitleId
from subgraphs.kernel.pagination import CursorKey, Page, PageInfo, page_info, read_page_request
from subgraphs.kernel.results import NotSignedIn, not_signed_in
from subgraphs.playback.api.context import PlaybackInfo
from subgraphs.playback.api.titles import Title, title_reference
from subgraphs.playback.api.types import DownloadNotFound, DownloadRefusalReason, DownloadRefused
from subgraphs.playback.domain.downloads import Download as DownloadRecord
from subgraphs.playback.domain.downloads import DownloadState
from subgraphs.playback.services.manage_downloads import DownloadRefused as Refused
from subgraphs.playback.services.manage_downloads import DownloadUnknown, require_device_id

__all__ = ["Account", "Download", "DownloadConnection", "DownloadMutations", "downloads_of_profile"]

MAX_DOWNLOADS_PAGE = 50

strawberry.enum(DownloadState, name="DownloadState", description="EXPIRED ones may be renewed, not played.")


@strawberry.type(description="One title on one device; bound to that device, for seven days at a time.")
class Download:
    """Of one profile."""

    id: strawberry.ID
    title: Title | None
    device_id: strawberry.ID
    state: DownloadState
    authorised_at: str
    completed_at: str | None
    expires_at: str
    has_offline_licence: bool = strawberry.field(
        description="false: licences for playing without a network are not issued yet; encrypted films need one."
    )


@strawberry.type
class DownloadEdge:
    """Relay edge."""

    cursor: str
    node: Download


@strawberry.type
class DownloadConnection:
    """Newest first."""

    edges: list[DownloadEdge]
    page_info: PageInfo


@strawberry.type(description="A device that takes one of the plan's places for downloads.")
class DownloadDevice:
    """`download_count` are those that have not expired, of all profiles."""

    device_id: strawberry.ID
    download_count: int


@strawberry.federation.type(keys=["id"])
class Account:
    """Profiles owns it; here are its devices with downloads."""

    id: strawberry.ID

    @classmethod
    def resolve_reference(cls, id: str) -> Self:  # noqa: A002  # the key's name
        """Any id; the fields answer for the viewer's own account only."""
        return cls(id=strawberry.ID(id))

    @strawberry.field(description="Devices that hold downloads: at most as many as the plan has places.")
    async def download_devices(self, info: PlaybackInfo) -> list[DownloadDevice] | None:
        """Null for any account but the viewer's own."""
        if info.context.viewer.account_id != self.id:
            return None
        account = await info.context.services.downloads.of_viewer(info.context.viewer)
        live = account.live(info.context.now)
        return [
            DownloadDevice(
                device_id=strawberry.ID(device_id),
                download_count=sum(each.device_id == device_id for each in live),
            )
            for device_id in account.devices(info.context.now)
        ]


@strawberry.input
class AuthoriseDownloadInput:
    """A movie or an episode, for a device."""

    title_id: strawberry.ID
    device_id: strawberry.ID


@strawberry.input
class DownloadInput:
    """A download, named by the device that has it."""

    download_id: strawberry.ID
    device_id: strawberry.ID


@strawberry.type(description="The download as it is now.")
class DownloadSuccess:
    """It was allowed."""

    download: Download


@strawberry.type(description="It is gone, and its room is free.")
class DeleteDownloadSuccess:
    """The device deletes its copy itself."""

    download_id: strawberry.ID


@strawberry.type(description="The device holds no downloads any more.")
class RemoveDownloadDeviceSuccess:
    """Also when it held none."""

    device_id: strawberry.ID
    had_downloads: bool


AuthoriseDownloadResult = Annotated[DownloadSuccess | DownloadRefused, strawberry.union("AuthoriseDownloadResult")]
DownloadResult = Annotated[DownloadSuccess | DownloadRefused | DownloadNotFound, strawberry.union("DownloadResult")]
DeleteDownloadResult = Annotated[DeleteDownloadSuccess | DownloadNotFound, strawberry.union("DeleteDownloadResult")]
RemoveDownloadDeviceResult = Annotated[
    RemoveDownloadDeviceSuccess | NotSignedIn, strawberry.union("RemoveDownloadDeviceResult")
]


@strawberry.type
class DownloadMutations:
    """Writes about downloads."""

    @strawberry.mutation(description="Ask to keep a title on a device; asking again starts its seven days anew.")
    async def authorise_download(
        self,
        info: PlaybackInfo,
        input: AuthoriseDownloadInput,  # noqa: A002
    ) -> AuthoriseDownloadResult:
        """Checks what pressing play checks, and the plan's devices."""
        require_device_id(input.device_id)
        head = info.context.head
        outcome = await info.context.services.downloads.authorise(
            head.viewer, TitleId(input.title_id), input.device_id, head.now
        )
        return (
            _refused(outcome)
            if isinstance(outcome, Refused)
            else DownloadSuccess(download=_download(outcome, head.now))
        )

    @strawberry.mutation(description="Seven more days, on the same device and while the title is still offered.")
    async def renew_download(self, info: PlaybackInfo, input: DownloadInput) -> DownloadResult:  # noqa: A002
        """Also for expired ones."""
        require_device_id(input.device_id)
        head = info.context.head
        return _result(
            await info.context.services.downloads.renew(head.viewer, input.download_id, input.device_id, head.now),
            head.now,
        )

    @strawberry.mutation(description="The device has all of it; twice is once.")
    async def complete_download(self, info: PlaybackInfo, input: DownloadInput) -> DownloadResult:  # noqa: A002
        """Only the device itself knows."""
        require_device_id(input.device_id)
        head = info.context.head
        return _result(
            await info.context.services.downloads.complete(head.viewer, input.download_id, input.device_id, head.now),
            head.now,
        )

    @strawberry.mutation(description="Forget a download, from any device.")
    async def delete_download(self, info: PlaybackInfo, download_id: strawberry.ID) -> DeleteDownloadResult:
        """The last one of a device makes room for another device."""
        unknown = await info.context.services.downloads.delete(info.context.viewer, download_id)
        return DeleteDownloadSuccess(download_id=download_id) if unknown is None else _not_found(unknown)

    @strawberry.mutation(description="Forget all downloads of a device, whoever of the account made them.")
    async def remove_download_device(self, info: PlaybackInfo, device_id: strawberry.ID) -> RemoveDownloadDeviceResult:
        """For a device that is lost or full."""
        require_device_id(device_id)
        account_id = info.context.viewer.account_id
        if account_id is None:
            return not_signed_in()
        had = await info.context.services.downloads.remove_device(AccountId(account_id), device_id)
        return RemoveDownloadDeviceSuccess(device_id=device_id, had_downloads=had)


async def downloads_of_profile(
    info: PlaybackInfo, profile_id: str, first: int, after: str | None
) -> DownloadConnection:
    """One page of the viewer's own downloads."""
    request = read_page_request(first, after, max_first=MAX_DOWNLOADS_PAGE, key_length=1)
    account = await info.context.services.downloads.of_viewer(info.context.viewer)
    own = [each for each in reversed(account.downloads) if each.profile_id == profile_id]
    if request.after is not None:
        own = [each for each in own if each.id < str(request.after[0])]
    page = Page.cut(own, request, _cursor_key)
    return DownloadConnection(
        edges=[
            DownloadEdge(cursor=cursor, node=_download(each, info.context.now))
            for each, cursor in zip(page.items, page.cursors, strict=True)
        ],
        page_info=page_info(page),
    )


def _cursor_key(download: DownloadRecord) -> CursorKey:
    # Ids sort by age.
    return (download.id,)


def _download(download: DownloadRecord, now: datetime) -> Download:
    completed_at = download.completed_at
    return Download(
        id=strawberry.ID(download.id),
        title=title_reference(download.title_id),
        device_id=strawberry.ID(download.device_id),
        state=download.state_at(now),
        authorised_at=download.authorised_at.isoformat(),
        completed_at=None if completed_at is None else completed_at.isoformat(),
        expires_at=download.expires_at.isoformat(),
        has_offline_licence=False,
    )


def _result(outcome: DownloadRecord | Refused | DownloadUnknown, now: datetime) -> DownloadResult:
    if isinstance(outcome, DownloadUnknown):
        return _not_found(outcome)
    return _refused(outcome) if isinstance(outcome, Refused) else DownloadSuccess(download=_download(outcome, now))


def _refused(refused: Refused) -> DownloadRefused:
    return DownloadRefused(
        reason=DownloadRefusalReason(refused.reason.value), message=refused.message, limit=refused.limit
    )


def _not_found(unknown: DownloadUnknown) -> DownloadNotFound:
    shown = unknown.download_id if len(unknown.download_id) <= 80 else f"{unknown.download_id[:80]}…"
    return DownloadNotFound(
        message=f"There is no download {shown!r} of this profile.", download_id=strawberry.ID(unknown.download_id)
    )
