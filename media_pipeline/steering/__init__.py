"""Which delivery pathway each playback session should use, now and at every reload of its steering manifest.

The decision is one pure function over pathways, their health and what the player reports; HLS and DASH get the same
answer.
"""
