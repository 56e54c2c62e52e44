"""The titles subgraph: the catalogue, its search and browse, its artwork and its imports.

It owns what a title is (Movie, Series, Season, Episode, Person, Genre, Artwork, certificates and availability) and
tells the other services by events what changed. What a viewer has done with a title belongs to its neighbours.
"""
