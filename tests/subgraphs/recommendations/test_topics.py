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


def test_amounts_by_genre_are_those_of_each_title() -> None:
    """To the last bit those of adding one title after the other, of all genres and no type."""
    chance = random.Random(2)
    titles = [(*chance.sample("abcdefghijklm", chance.randrange(12)), chance.choice("mz")) for _ in range(100)]
    table = build_topic_table(titles)
    for count in (0, 1, 60):
        amounts = {title: chance.random() for title in chance.sample(range(100), count)}
        expected = dict.fromkeys(table.names, 0.0)
        for title, amount in amounts.items():
            for genre in titles[title][:-1]:
                expected[genre] += amount
        assert dict(zip(table.names, table.by_genre(amounts).tolist(), strict=True)) == expected


def test_no_titles_have_no_topics() -> None:
    """An empty catalogue has a table too."""
    table = build_topic_table([])

    assert table.names == ()
    assert table.shares.shape == (1, 0)
    assert table.by_genre({}).tolist() == []
    assert table.nothing == 0
