"""Imports of foreign catalogues: one reader per format, and the run that takes their rows into the store.

A reader turns lines into titles, or says why a line can't be used; it knows no store. `run.py` takes titles in
batches, counts, and can be started again at any time: what is there already and unchanged is left alone. `client.py`
sends a file to a running titles service, which is how the command line imports.
"""

from subgraphs.titles.imports.run import FORMATS, ImportProgress, ImportRefused, ImportReport, import_catalogue

__all__ = ["FORMATS", "ImportProgress", "ImportRefused", "ImportReport", "import_catalogue"]
