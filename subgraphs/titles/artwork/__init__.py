"""Draws a title's artwork: posters, backdrops, logos and thumbnails, the same for the same title every time.

`design.py` decides (palette, family, typeface) and draws nothing; `families/` compose a picture, `lettering.py` sets
the type, `render.py` puts them together and encodes. Nothing here knows stores or requests: bytes come out.
"""
