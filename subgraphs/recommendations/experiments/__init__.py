"""Whether a change of pages helped: who sees which variant, and what the numbers say about it.

`definition.py` says what an experiment is and `parameters.py` what one can change; `assign.py` puts profiles into arms,
`draft.py` interleaves two rankers, `statistics.py` and `results.py` turn what profiles did into a verdict. All pure:
stores, events and clocks stand in services and adapters.
"""
