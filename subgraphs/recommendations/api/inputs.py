"""What clients declare and ask for."""

import strawberry

from subgraphs.recommendations.domain.artwork_sizes import ArtworkRole, ImageFormat
from subgraphs.recommendations.domain.devices import Device, FormFactor
from subgraphs.recommendations.domain.sections import PageKind, SectionKind
from subgraphs.recommendations.services.report_interactions import InteractionKind

__all__ = ["DeviceInput", "FormFactor", "InteractionInput", "device_of"]

strawberry.enum(PageKind, name="PageKind", description="Which page.")
strawberry.enum(SectionKind, name="SectionKind", description="What a section shows.")
strawberry.enum(FormFactor, name="FormFactor", description="What kind of screen.")
strawberry.enum(ArtworkRole, name="ArtworkRole")
strawberry.enum(ImageFormat, name="ImageFormat")


@strawberry.input(description="The device in hand; the server chooses layout, kinds and artwork for it.")
class DeviceInput:
    """Sizes are in the device's own pixels; pixelRatio says how many physical ones each has."""

    form_factor: FormFactor
    width_px: int
    height_px: int
    pixel_ratio: float = 1
    image_formats: list[ImageFormat] = strawberry.field(default_factory=lambda: [ImageFormat.JPEG])
    supports: list[SectionKind] = strawberry.field(
        description="Section kinds that this client can draw; a kind that is not listed is never sent."
    )


strawberry.enum(InteractionKind, description="What happened to a card on a screen.")


@strawberry.input
class InteractionInput:
    """One card; `tracking` as it came with it."""

    kind: InteractionKind
    title_id: strawberry.ID
    tracking: str


def device_of(device: DeviceInput) -> Device:
    """The domain's device; not checked yet."""
    return Device(
        form_factor=device.form_factor,
        width_px=device.width_px,
        height_px=device.height_px,
        pixel_ratio=device.pixel_ratio,
        image_formats=tuple(device.image_formats),
        supports=frozenset(device.supports),
    )
