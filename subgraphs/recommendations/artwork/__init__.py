"""Which variant of a title's artwork a viewer is shown: a contextual bandit that can state every probability.

`policy` gives the probabilities and `choose` draws from them, the same for one viewer as long as its context and the
policy are; `learn` makes the next policy from what was shown and opened, `off_policy` tells from the same log what
another policy would have been worth. Nothing here touches a network or a disk but the readers of data sets.
"""
