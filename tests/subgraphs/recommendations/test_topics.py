"""What titles are about, as numbers."""

from __future__ import annotations

import random

from subgraphs.recommendations.domain.topics import MAX_TOPICS, build_topic_table


def test_shares_are_those_of_each_title() -> None:
    """Any lists, the same ones again among them: each title's row of the table is its own list, and sums to 1."""
    chance = random.Random(1)
    known = [tuple(chance.sample("abcdefghijklm", chance.randrange(1, 12))) for _ in range(20)]
    titles = [chance.choice(known) for _ in range(100)]
    table = build_topic_table(titles)

    for number, topics in zip(table.lists, titles, strict=True):
        counted = topics[-MAX_TOPICS:]
        expected = [1 / len(counted) if name in counted else 0.0 for name in table.names]
        assert table.shares[number].tolist() == expected
    assert len(table.shares) == len(set(titles)) + 1
    assert not table.shares[table.nothing].any()


def test_no_titles_have_no_topics() -> None:
    """An empty catalogue has a table too."""
    table = build_topic_table([])

    assert table.names == ()
    assert table.shares.shape == (1, 0)
    assert table.nothing == 0
