"""Scales artwork to one size and format, in a bounded pool of threads. Pillow does the work."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor

from PIL import Image, ImageOps, UnidentifiedImageError

from common.errors import ErrorKind, ServiceError
from media_pipeline.delivery.artwork_sizes import IMAGE_FORMATS

__all__ = ["ImagePool", "ImageUnreadable", "scale_image"]

MAX_MASTER_PIXELS = 50_000_000
QUALITY = {"JPEG": 82, "WEBP": 80, "AVIF": 60}
"""About equal to the eye on posters."""


class ImageUnreadable(Exception):
    """The master is no image that may be scaled."""


class ImagePool:
    """At most `threads` images at once, at most `queue` waiting."""

    def __init__(self, threads: int, queue: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="artwork")
        self._limit = threads + queue
        self._count = 0

    async def scale(self, master: bytes, size_px: tuple[int, int], extension: str, *, keeps_whole: bool) -> bytes:
        """See scale_image; raises ServiceError RESOURCE_EXHAUSTED when too many wait."""
        if self._count >= self._limit:
            raise ServiceError(ErrorKind.RESOURCE_EXHAUSTED, "too much artwork is being scaled; try again in a second")
        self._count += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self._executor, lambda: scale_image(master, size_px, extension, keeps_whole=keeps_whole)
            )
        finally:
            self._count -= 1

    def close(self) -> None:
        """End the threads; what runs is finished."""
        self._executor.shutdown(wait=True, cancel_futures=True)


def scale_image(master: bytes, size_px: tuple[int, int], extension: str, *, keeps_whole: bool) -> bytes:
    """The image in a size and format. keeps_whole: fitted in with transparent borders (logos); else filled and cropped.

    Raises ImageUnreadable.
    """
    pillow_format, _ = IMAGE_FORMATS[extension]
    try:
        with Image.open(io.BytesIO(master), formats=("PNG", "JPEG", "WEBP")) as opened:
            # Only the header is read so far: a bomb is refused before it unfolds.
            if opened.width * opened.height > MAX_MASTER_PIXELS:
                raise ImageUnreadable(f"{opened.width}x{opened.height} pixels are too many")
            opened.draft("RGB", size_px)
            image = ImageOps.exif_transpose(opened)
            image = image.convert("RGBA" if _has_alpha(image) else "RGB")
    except Image.DecompressionBombError as error:
        raise ImageUnreadable("too many pixels") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ImageUnreadable(f"the master is no image: {error}") from error
    if keeps_whole:
        scaled = ImageOps.pad(image.convert("RGBA"), size_px, Image.Resampling.LANCZOS, color=(0, 0, 0, 0))
    else:
        scaled = ImageOps.fit(image, size_px, Image.Resampling.LANCZOS)
    if pillow_format == "JPEG" and scaled.mode == "RGBA":
        black = Image.new("RGB", size_px)
        black.paste(scaled, mask=scaled.getchannel("A"))
        scaled = black
    output = io.BytesIO()
    options = {"quality": QUALITY[pillow_format]} if pillow_format in QUALITY else {"optimize": True}
    scaled.save(output, pillow_format, **options)
    return output.getvalue()


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
