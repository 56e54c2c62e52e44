"""Families of composition: each fills a canvas in its own manner around the canvas's focus.

A family is a function of a canvas and an emblem; it uses the canvas's palette and its random numbers and nothing else.
"""

from collections.abc import Callable, Mapping

from subgraphs.titles.artwork.canvas import Canvas
from subgraphs.titles.artwork.emblems import Emblem
from subgraphs.titles.artwork.families.geometric import arches, constructivist, sunburst
from subgraphs.titles.artwork.families.scenic import moonrise, skyline, waves
from subgraphs.titles.artwork.families.theatrical import reel, spotlight

__all__ = ["FAMILY_BY_NAME"]

FAMILY_BY_NAME: Mapping[str, Callable[[Canvas, Emblem], None]] = {
    "arches": arches,
    "constructivist": constructivist,
    "moonrise": moonrise,
    "reel": reel,
    "skyline": skyline,
    "spotlight": spotlight,
    "sunburst": sunburst,
    "waves": waves,
}
