"""Improvements of the fetch graph, one per file.

Each pass is a function from the graph to whether it changed anything; it keeps what is asked at every place, and
never makes the longest row of steps longer. `order.py` lists them and runs them until none has anything to do.
"""
