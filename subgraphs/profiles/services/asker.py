"""Who asks a service to change something of an account, from where and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from common.tokens import Viewer
from subgraphs.profiles.domain.accounts import Account

__all__ = ["Asker"]


@dataclass(frozen=True, slots=True)
class Asker:
    """`account` is the signed-in one, None when nobody is; `address` the client's; `now` the request's instant."""

    viewer: Viewer
    account: Account | None
    address: str
    now: datetime
