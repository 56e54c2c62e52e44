"""Pages and cursors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.pagination import Page, PageRequest, page_info, read_cursor, read_page_request, write_cursor

keys = st.lists(
    st.none() | st.text(max_size=20) | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False),
    min_size=1,
    max_size=3,
).map(tuple)


@given(keys)
def test_a_cursor_reads_back(key: tuple[str | int | float | None, ...]) -> None:
    """Whatever the sort key holds."""
    assert read_cursor(write_cursor(key)) == key


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(cursor: str) -> None:
    """A made-up cursor is refused with words, never with another exception."""
    try:
        refusal, key = None, read_cursor(cursor)
    except ServiceError as error:
        refusal, key = error, None
    assert (key is None) != (refusal is None)
    if refusal is not None:
        assert refusal.kind is ErrorKind.INVALID_ARGUMENT
        assert "endCursor" in refusal.message


@given(st.lists(st.integers(), unique=True, max_size=40).map(sorted), st.integers(1, 10))
def test_pages_in_a_row_are_the_list(numbers: list[int], first: int) -> None:
    """No item twice, none left out, and only the last page says that it is."""
    read: list[int] = []
    after = None
    while True:
        request = read_page_request(first, after, max_first=10, key_length=1)
        rest = [number for number in numbers if request.after is None or (number,) > request.after]
        page = Page.cut(rest[: first + 1], request, lambda number: (number,))
        read += page.items
        info = page_info(page)
        assert info.has_previous_page == (after is not None)
        assert (info.end_cursor is None) == (not page.items)
        if not info.has_next_page:
            break
        after = info.end_cursor
    assert read == numbers


@pytest.mark.parametrize("first", [-1, 51])
def test_a_page_has_a_bound_and_the_error_names_it(first: int) -> None:
    """The value seen and the values possible."""
    with pytest.raises(ServiceError, match=rf"first is {first}; ask for 0 to 50"):
        read_page_request(first, None, max_first=50)


def test_another_lists_cursor_is_refused() -> None:
    """Its key has another length."""
    with pytest.raises(ServiceError, match="cursor of another list"):
        read_page_request(1, write_cursor((1, 2)), max_first=50, key_length=1)


def test_first_zero_is_an_empty_page() -> None:
    """Asked for nothing, says whether there is something."""
    page = Page.cut([1], PageRequest(0), lambda number: (number,))
    assert (page.items, page.has_next_page) == ((), True)


@pytest.mark.parametrize("letter", ["a", "ñ", "明", "𝄞", '"', "\n"])
def test_a_list_goes_on_behind_the_longest_name(letter: str) -> None:
    """500 characters of any script, as names of titles may have."""
    key = ("NAME", letter * 500, "mov_1")
    assert read_page_request(1, write_cursor(key), max_first=1, key_length=3).after == key
