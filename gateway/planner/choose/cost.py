"""The cost model: what one plan is cheaper than another means.

Unit: one field selected in one request. The cost of a plan is the sum over its positions; at a position
    fields selected (late ones twice) + REQUEST_COST · requests started there + DEPTH_COST · (how deep those requests
    lean on each other - 1). Requests started at different positions are counted apart although passes may later send
    them in one batch: the choice would otherwise not decompose over positions, and batching is decided by depth, not
    by choice.
"""

from __future__ import annotations

REQUEST_COST = 1000
"""A request more is worth a thousand fields: the usual ratio of a round trip to reading a value. Not measured."""

DEPTH_COST = 50
"""Prefers requests side by side to requests in a row when their number is equal.

Below REQUEST_COST, so that it only breaks ties between plans with equally many requests (chains longer than 20 at one
position aside)."""

FIELD_COST = 1
"""One field selected."""

LATE_FIELD_COST = 1
"""On top for a field that has to wait for an entity request, and for each field below it.

Between plans with equally many requests, the one that has more of the answer earlier wins."""
