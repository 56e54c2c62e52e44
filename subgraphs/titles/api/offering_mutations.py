# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""What the studio may say of how titles are offered and whom they credit. All need scope studio or catalogue:write."""

import strawberry

from subgraphs.kernel.ids import TitleId
from subgraphs.titles.api.context import Info
from subgraphs.titles.api.studio_types import EditTitleResult, PersonResult, attempt, edit_result, person_result
from subgraphs.titles.domain.markers import MarkerKind
from subgraphs.titles.domain.title import Credit, CreditRole, Marker, PersonId, person_named
from subgraphs.titles.domain.title_input import clean_name
from subgraphs.titles.services.offering import WindowInput, WindowTime
from subgraphs.titles.services.studio import TitleToChange

__all__ = ["OfferingMutations"]


@strawberry.input(
    description="A time by a clock on the wall, as 2026-03-29T21:00, in an IANA zone; or one with an offset."
)
class WindowTimeInput:
    """Times that a clock skips or shows twice are read so that the window is the shorter one."""

    at: str
    zone: str | None = None

    def to_domain(self) -> WindowTime:
        """The service's form."""
        return WindowTime(self.at, self.zone)


@strawberry.input(description="When a title is offered in a country, * for all; an end that is absent is open.")
class AvailabilityWindowInput:
    """From `from` on to before `until`."""

    country: str
    from_: WindowTimeInput | None = strawberry.field(name="from", default=None)
    until: WindowTimeInput | None = None

    def to_domain(self) -> WindowInput:
        """The service's form."""
        opens = None if self.from_ is None else self.from_.to_domain()
        return WindowInput(self.country, opens, None if self.until is None else self.until.to_domain())


@strawberry.input
class SetWindowsInput:
    """All windows that the title is to have; none: it is offered nowhere."""

    title_id: strawberry.ID
    revision: int
    windows: list[AvailabilityWindowInput]


@strawberry.input
class CountriesInput:
    """ISO 3166 codes, or * for every country."""

    title_id: strawberry.ID
    revision: int
    countries: list[str]


@strawberry.input
class CertificateInput:
    """A code that the country's board gives."""

    country: str
    code: str


@strawberry.input
class SetCertificatesInput:
    """All certificates that the title is to have; the strictest makes its age limit. None: for grown-ups."""

    title_id: strawberry.ID
    revision: int
    certificates: list[CertificateInput]
    is_kids: bool = strawberry.field(description="Made for kids: kids profiles see it.")


@strawberry.input
class MarkerInput:
    """In seconds from the start."""

    kind: MarkerKind
    start_seconds: float
    end_seconds: float


@strawberry.input
class SetMarkersInput:
    """All markers that the title is to have."""

    title_id: strawberry.ID
    revision: int
    markers: list[MarkerInput]


@strawberry.input
class ArtworkWeightInput:
    """A variant's share, 0 to 1000."""

    variant: str
    weight: int


@strawberry.input
class SetArtworkWeightsInput:
    """Variants that are left out have none; no weights at all: the main one alone."""

    title_id: strawberry.ID
    revision: int
    weights: list[ArtworkWeightInput]


@strawberry.input
class CreditInput:
    """Somebody by name."""

    display_name: str
    role: CreditRole
    character: str | None = None


@strawberry.input
class SetCreditsInput:
    """The whole credits, in order of billing."""

    title_id: strawberry.ID
    revision: int
    credits: list[CreditInput]


@strawberry.input
class RenamePersonInput:
    """On all credits."""

    id: strawberry.ID
    display_name: str


@strawberry.input
class MergePeopleInput:
    """`merged_id` is somebody else no longer."""

    merged_id: strawberry.ID
    into_id: strawberry.ID


@strawberry.type
class OfferingMutations:
    """Rights, markers, artwork shares, credits, people."""

    @strawberry.mutation(description="Needs scope studio.")
    async def set_windows(self, info: Info, input: SetWindowsInput) -> EditTitleResult:  # noqa: A002
        """Availability is denied wherever no window is open."""
        target = TitleToChange(TitleId(input.title_id), input.revision)
        windows = [window.to_domain() for window in input.windows]
        return edit_result(
            await attempt(info.context.services.offering.set_windows(info.context.viewer, target, windows))
        )

    @strawberry.mutation(description="Needs scope studio. A block beats every window.")
    async def block_countries(self, info: Info, input: CountriesInput) -> EditTitleResult:  # noqa: A002
        """Blocks that there are stay."""
        target = TitleToChange(TitleId(input.title_id), input.revision)
        return edit_result(
            await attempt(info.context.services.offering.block(info.context.viewer, target, input.countries))
        )

    @strawberry.mutation(description="Needs scope studio. The windows decide again.")
    async def unblock_countries(self, info: Info, input: CountriesInput) -> EditTitleResult:  # noqa: A002
        """A block of every country is lifted by naming it."""
        target = TitleToChange(TitleId(input.title_id), input.revision)
        return edit_result(
            await attempt(info.context.services.offering.unblock(info.context.viewer, target, input.countries))
        )

    @strawberry.mutation(description="Needs scope studio.")
    async def set_certificates(self, info: Info, input: SetCertificatesInput) -> EditTitleResult:  # noqa: A002
        """Unknown codes are refused by name."""
        target = TitleToChange(TitleId(input.title_id), input.revision)
        given = [(certificate.country, certificate.code) for certificate in input.certificates]
        act = info.context.services.offering.set_certificates(info.context.viewer, target, given, is_kids=input.is_kids)
        return edit_result(await attempt(act))

    @strawberry.mutation(description="Needs scope studio.")
    async def set_markers(self, info: Info, input: SetMarkersInput) -> EditTitleResult:  # noqa: A002
        """Inside the running time; those of one kind apart."""
        target = TitleToChange(TitleId(input.title_id), input.revision)
        markers = [Marker(marker.kind.value, marker.start_seconds, marker.end_seconds) for marker in input.markers]
        return edit_result(
            await attempt(info.context.services.offering.set_markers(info.context.viewer, target, markers))
        )

    @strawberry.mutation(description="Needs scope studio.")
    async def set_artwork_weights(self, info: Info, input: SetArtworkWeightsInput) -> EditTitleResult:  # noqa: A002
        """What pages choose by."""
        target = TitleToChange(TitleId(input.title_id), input.revision)
        weights = [(each.variant, each.weight) for each in input.weights]
        return edit_result(
            await attempt(info.context.services.offering.set_artwork_weights(info.context.viewer, target, weights))
        )

    @strawberry.mutation(description="Needs scope studio.")
    async def set_credits(self, info: Info, input: SetCreditsInput) -> EditTitleResult:  # noqa: A002
        """People are known by name."""
        target = TitleToChange(TitleId(input.title_id), input.revision)
        lines = [
            Credit(person_named(clean_name(line.display_name)), line.role, line.character) for line in input.credits
        ]
        return edit_result(await attempt(info.context.services.studio.set_credits(info.context.viewer, target, lines)))

    @strawberry.mutation(description="Needs scope studio.")
    async def rename_person(self, info: Info, input: RenamePersonInput) -> PersonResult:  # noqa: A002
        """On all credits, also of later imports; the id stays."""
        act = info.context.services.offering.rename_person(info.context.viewer, PersonId(input.id), input.display_name)
        return person_result(await attempt(act))

    @strawberry.mutation(description="Needs scope studio.")
    async def merge_people(self, info: Info, input: MergePeopleInput) -> PersonResult:  # noqa: A002
        """One person for two, also in later imports; the merged id leads to the other."""
        act = info.context.services.offering.merge_people(
            info.context.viewer, PersonId(input.merged_id), PersonId(input.into_id)
        )
        return person_result(await attempt(act))
