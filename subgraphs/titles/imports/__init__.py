"""Imports of foreign catalogues: one reader per format, the run that takes their rows into the store, and its jobs.

A reader turns lines into rows for the catalogue, or says why a line can't be used; it knows no store. `run.py` takes
rows in batches, `jobs.py` keeps how far each import is, so that one that was broken off goes on where it stopped.
`client.py` speaks to a running titles service, which is how the command line imports.
"""

from subgraphs.titles.imports.formats import CatalogueFormat
from subgraphs.titles.imports.job import ImportJob, JobState
from subgraphs.titles.imports.jobs import ImportJobs, ImportLease
from subgraphs.titles.imports.rows import ImportRefused
from subgraphs.titles.imports.run import ImportProgress, ImportRequest, import_catalogue

__all__ = [
    "CatalogueFormat",
    "ImportJob",
    "ImportJobs",
    "ImportLease",
    "ImportProgress",
    "ImportRefused",
    "ImportRequest",
    "JobState",
    "import_catalogue",
]
