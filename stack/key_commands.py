"""`marquee keys`: give the signing keys successors, without a token being refused."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from common.settings import SettingsInvalid, SharedSettings
from stack.failing import fail

__all__ = ["keys"]

keys = typer.Typer(name="keys", help="The keys that sign access tokens and viewer contexts.", no_args_is_help=True)
console = Console(highlight=False, soft_wrap=True)

VIEWER_LEAD = timedelta(seconds=10)
"""Readers of the viewer's key file look at it for every token that they do not know."""


class Ring(StrEnum):
    """Keys that can be rotated."""

    ACCESS = "access"
    VIEWER = "viewer"


@keys.command()
def rotate(
    ring: Annotated[list[Ring] | None, typer.Argument(help="access, viewer, or (without) both.")] = None,
    lead_s: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Seconds until the new key signs: longer than verifiers keep a key set. "
            "Without it twice MARQUEE_GATEWAY_ACCESS_JWKS_REFRESH_S for access, 10 for viewer.",
        ),
    ] = None,
) -> None:
    """Make a new key that signs after a while, and delete old ones whose tokens have all expired.

    Running processes follow by themselves: nothing needs to be restarted.
    """
    try:
        for each in ring or list(Ring):
            _rotate(each, None if lead_s is None else timedelta(seconds=lead_s))
    except SettingsInvalid as error:
        fail(str(error))
    except FileExistsError as error:
        fail(f"{error}; wait until then")


def _rotate(ring: Ring, lead: timedelta | None) -> None:
    from common.signing_keys import MAX_TOKEN_LIFE, KeyRing
    from gateway.settings import GatewaySettings
    from subgraphs.profiles.settings import ProfilesSettings

    path = _key_path(ring)
    if ring is Ring.ACCESS:
        life = max(MAX_TOKEN_LIFE, ProfilesSettings.load().access_token_life)
        usual = 2 * timedelta(seconds=GatewaySettings.load().access_jwks_refresh_s)
    else:
        life, usual = MAX_TOKEN_LIFE, VIEWER_LEAD
    made, signs_from, retired = KeyRing(path, life).rotate(usual if lead is None else lead)
    console.print(f"{ring.value}: {made.name} signs from {signs_from:%Y-%m-%d %H:%M:%S} UTC on")
    for old in retired:
        console.print(f"{ring.value}: {old.name} is deleted, its tokens have expired")


def _key_path(ring: Ring) -> Path:
    path = SharedSettings.load().keys_dir / f"{ring.value}.pem"
    if not path.exists():
        fail(f"{path} is missing; run `make up` once, or set MARQUEE_STATE_DIR to its state folder")
    return path
