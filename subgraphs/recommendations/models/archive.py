"""Records of what was learned as bytes: one compressed archive of plain arrays (NumPy's npz) and a description in JSON.

Nothing in the bytes is ever executed, and whatever is wrong with them is told in one way.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ModelUnreadable", "opened_archive", "write_archive"]

Arrays = Mapping[str, npt.NDArray[Any]]

ABOUT = "about"
_DAMAGE = (
    KeyError,
    ValueError,
    OSError,
    TypeError,
    EOFError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What zipfile, zlib, NumPy and json raise for bytes that are not what was written."""


class ModelUnreadable(Exception):
    """The bytes are no record of this kind and format; the message says what is wrong."""


def write_archive(form: int, about: Mapping[str, Any], arrays: Arrays) -> bytes:
    """`about`: what JSON can hold; `form`: the format's number, which reading asks for."""
    described = np.frombuffer(json.dumps({"format": form, **about}).encode(), np.uint8)
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **{ABOUT: described, **arrays})
    return file.getvalue()


@contextmanager
def opened_archive(content: bytes, what: str, form: int) -> Iterator[tuple[Mapping[str, Any], Arrays]]:
    """The description and the arrays, to be put together within the block.

    Raises ModelUnreadable, which names `what`, for bytes that are damaged or of another format, and for what the block
    can't put together.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays[ABOUT].tobytes())
        if about["format"] != form:
            raise ModelUnreadable(f"the {what}'s format is {about['format']!r}, read is {form}; train again")
        yield about, arrays
    except _DAMAGE as error:
        raise ModelUnreadable(f"the bytes are no {what}: {error}") from error
