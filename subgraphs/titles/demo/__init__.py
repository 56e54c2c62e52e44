"""The demo catalogue: real public-domain films and serials, and one film of ours.

Synopses and age limits are our own; `films_<decade>.json` and `series.json` are the data, `load.py` reads them and
`seed_demo` puts them into a running service. Restricted windows follow where a work is free: films of 1930 are so in
the United States only, for example.
"""

from subgraphs.titles.demo.load import DEMO_FILM_ID, DemoCatalogue, load_demo, seed_demo

__all__ = ["DEMO_FILM_ID", "DemoCatalogue", "load_demo", "seed_demo"]
