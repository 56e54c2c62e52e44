"""Amounts of money: whole minor units of one currency, never fractions."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Money"]

_CURRENCY = re.compile(r"[A-Z]{3}")
_DECIMALS = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "VND"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Of ISO 4217's currencies those whose minor unit is no hundredth, among those of countries that may be served."""


@dataclass(frozen=True, slots=True)
class Money:
    """`amount_minor` of `currency` (ISO 4217): cents, pence, whole yen. Below zero in ledgers only.

    Raises ValueError for a currency that is no three-letter code, TypeError for a fraction.
    """

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise TypeError(f"an amount is a whole number of minor units, got {self.amount_minor!r}")
        if not _CURRENCY.fullmatch(self.currency):
            raise ValueError(f"a currency is three capital letters, got {self.currency!r}")

    @property
    def text(self) -> str:
        """For people who read any language: "USD 9.99", "JPY 890", "KWD 2.400"."""
        decimals = _DECIMALS.get(self.currency, 2)
        sign = "-" if self.amount_minor < 0 else ""
        units, minor = divmod(abs(self.amount_minor), 10**decimals)
        return f"{self.currency} {sign}{units}" + (f".{minor:0{decimals}}" if decimals else "")

    def __neg__(self) -> Money:
        return Money(-self.amount_minor, self.currency)

    def minus(self, other: Money) -> Money:
        """The difference; raises ValueError when the currencies differ."""
        if self.currency != other.currency:
            raise ValueError(f"{other.currency} can't be taken from {self.currency}; prices of one account share one")
        return Money(self.amount_minor - other.amount_minor, self.currency)

    def share(self, part: int, whole: int) -> Money:
        """`part / whole` of it, rounded down to the minor unit; raises ValueError unless 0 <= part <= whole > 0."""
        if not 0 <= part <= whole or whole == 0:
            raise ValueError(f"a share is between nothing and all, got {part} of {whole}")
        return Money(self.amount_minor * part // whole, self.currency)
