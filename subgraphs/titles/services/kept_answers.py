"""Answers of the search index, kept for a while: until it is updated, or five minutes have passed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from subgraphs.titles.ports import SearchIndex

__all__ = ["KeptAnswers"]

QuestionT = TypeVar("QuestionT", bound=Hashable)
AnswerT = TypeVar("AnswerT")

LIFE = timedelta(minutes=5)


class KeptAnswers(Generic[QuestionT, AnswerT]):
    """The `most` answers that were asked for last; a question must name everything that its answer depends on."""

    def __init__(self, index: SearchIndex, *, most: int) -> None:
        self._index = index
        self._most = most
        self._answers: OrderedDict[QuestionT, tuple[datetime, int, AnswerT]] = OrderedDict()

    async def answer(self, question: QuestionT, now: datetime, ask: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
        """As kept, or as asked now."""
        known = self._answers.get(question)
        if known is not None and now - LIFE < known[0] <= now and known[1] == self._index.revision:
            self._answers.move_to_end(question)
            return known[2]
        # Of before the asking: what is updated meanwhile ends the answer at once.
        revision = self._index.revision
        answer = await ask()
        self._answers[question] = (now, revision, answer)
        if len(self._answers) > self._most:
            self._answers.popitem(last=False)
        return answer
