"""Compressing answers."""

from __future__ import annotations

import gzip
import random
import string
import zlib

import pytest

from gateway.server.compression import FIRST_FLIGHT_BYTES, compress


def page(card_count: int) -> bytes:
    """Something like the JSON of a page: keys and words that come again, and ids that do not."""
    letters = random.Random(card_count)
    words = ["".join(letters.choices(string.ascii_lowercase, k=letters.randint(2, 9))) for _ in range(400)]
    cards: list[str] = []
    for number in range(card_count):
        name, synopsis = (" ".join(letters.choices(words, k=count)) for count in (2, 12))
        url = f"http://127.0.0.1:4010/artwork/{letters.randbytes(6).hex()}/backdrop/1280.webp"
        cards.append(
            f'{{"node":{{"__typename":"TitleCard","id":"card_{number}","artwork":{{"url":"{url}","altText":"{name}"}},'
            f'"title":{{"__typename":"Movie","displayName":"{name}","synopsis":"{synopsis}"}}}}}}'
        )
    return ",".join(cards).encode()


@pytest.mark.parametrize("level", range(10))
def test_every_level_gives_gzip(level: int) -> None:
    """What a client inflates is what was there; nothing, a byte and large answers too."""
    for body in (b"", b"x", page(50), page(1_000), random.Random(1).randbytes(20_000)):
        assert body == gzip.decompress(compress(body, level))


def test_an_answer_that_misses_the_first_flight_by_little_is_made_small() -> None:
    """There the small way may save a round trip; elsewhere nobody waits for it."""
    sizes = {count: len(compress(page(count), 0)) for count in (180, 220, 240, 250, 260, 290, 310)}
    small = {count: len(zlib.compress(page(count), 5, 16 + zlib.MAX_WBITS)) for count in sizes}
    made_small = [count for count in sizes if sizes[count] == small[count]]
    assert made_small == [240, 250, 260]
    assert all(FIRST_FLIGHT_BYTES < small[count] < 16_000 for count in made_small)
