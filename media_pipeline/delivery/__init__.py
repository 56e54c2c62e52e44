"""Everything that players and studios fetch over HTTP: media, artwork, licences, steering manifests, uploads, CMCD.

It is origin and edge in one process. Stored manifests hold relative addresses; what depends on a session (pathways,
steering, the largest rendition, the licence address) is added when they are served.
"""
