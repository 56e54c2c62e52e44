"""All-in-one: starts every process of Marquee with one command, on embedded stores, with a demo to watch.

It is the only package that sees all the others, and nothing imports it. The `marquee` command line lives here.
"""

from pathlib import Path

__all__ = ["REPOSITORY"]

REPOSITORY = Path(__file__).resolve().parent.parent
"""Where the files lie that are no Python: schema/, clients/."""
