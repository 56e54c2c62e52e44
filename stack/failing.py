"""How every command of `marquee` ends when it cannot do what it was asked for."""

from __future__ import annotations

from typing import NoReturn

import typer
from rich.console import Console
from rich.markup import escape

__all__ = ["fail"]


def fail(message: str) -> NoReturn:
    """End with 1, and say why on the error stream; the message may hold foreign text, which is no markup."""
    Console(stderr=True, highlight=False).print(f"[red]error:[/] {escape(message)}", soft_wrap=True)
    raise typer.Exit(1)
