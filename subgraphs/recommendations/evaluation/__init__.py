"""How good the models are, measured offline: data sets, splits, metrics of ranking, intervals, and the report.

Every model ranks all titles that a profile has not seen, never a sample of them. Seeds are fixed: the same data give
the same table. Nothing here is imported where pages are served; training, a process of its own, measures with it.
"""
