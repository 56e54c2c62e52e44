"""Range requests against slicing as the oracle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_pipeline.delivery.byte_ranges import ByteRange, RangeNotSatisfiable, read_range


@given(st.integers(1, 50), st.integers(0, 60), st.none() | st.integers(0, 60))
def test_a_range_is_the_slice_that_it_names(size: int, first: int, last: int | None):
    header = f"bytes={first}-{'' if last is None else last}"
    content = bytes(range(size))
    if last is not None and last < first:
        assert read_range(header, size) is None
    elif first >= size:
        with pytest.raises(RangeNotSatisfiable):
            read_range(header, size)
    else:
        found = read_range(header, size)
        assert found is not None
        expected = content[first:] if last is None else content[first : last + 1]
        assert content[found.start : found.end] == expected
        assert found.content_range(size) == f"bytes {found.start}-{found.end - 1}/{size}"


@given(st.integers(1, 50), st.integers(1, 60))
def test_a_suffix_is_the_end(size: int, count: int):
    found = read_range(f"bytes=-{count}", size)
    assert found is not None
    assert bytes(range(size))[found.start : found.end] == bytes(range(size))[-count:]


@pytest.mark.parametrize(
    "header", [None, "", "items=0-1", "bytes=0-1,3-4", "bytes=-", "bytes=a-b", "bytes 0-1", "bytes=1--2"]
)
def test_others_mean_the_whole(header: str | None):
    assert read_range(header, 10) is None


def test_nothing_has_no_end():
    with pytest.raises(RangeNotSatisfiable):
        read_range("bytes=-0", 10)
    with pytest.raises(RangeNotSatisfiable):
        read_range("bytes=0-", 0)
    assert read_range("bytes=0-0", 1) == ByteRange(0, 1)
