"""Reads an import file as an import does; prints the most kilobytes the process had after a fifth of it, and in all."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
from itertools import islice
from pathlib import Path

from subgraphs.titles.imports.files import open_import_file
from subgraphs.titles.imports.formats import CatalogueFormat, open_format
from subgraphs.titles.imports.run import BATCH_SIZE
from subgraphs.titles.imports.seen import Seen

FIFTH = 20_000


def main(path: Path) -> None:
    """Print [after a fifth, at the end]."""
    most: list[int] = []
    with tempfile.TemporaryDirectory() as folder, open_import_file(path) as file, Seen(Path(folder) / "seen") as seen:
        rows = open_format(CatalogueFormat.WIKIPEDIA, file, seen, None).rows
        count = 0
        while batch := list(islice(rows, BATCH_SIZE)):
            count += len(batch)
            if count == FIFTH:
                most.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    most.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    print(json.dumps(most))


main(Path(sys.argv[1]))
