"""What to watch, for the screen in hand: pages of rows of cards, similar titles, match.

`pages/` decides rows, order and cards over the whole page at once; `models/` holds what is learned from titles and
from watching. It owns no title: pages hold references, and everything on them has passed the policy that all
subgraphs share.
"""
