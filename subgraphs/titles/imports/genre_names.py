"""How the sources' genres are called here.

A name that is not in the table is taken as it is; an empty tuple drops it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from subgraphs.titles.domain.title import Genre, genre_named

__all__ = ["MAX_GENRES", "genres_of"]

MAX_GENRES = 10

_OURS: Mapping[str, tuple[str, ...]] = {
    # Wikipedia's lists
    "Animated": ("Animation",),
    "Noir": ("Film Noir",),
    "Musical": ("Music",),
    "Historical": ("History",),
    "Sport": ("Sports",),
    "Suspense": ("Thriller",),
    "Live Action": (),
    # Netflix
    "Action & Adventure": ("Action", "Adventure"),
    "TV Action & Adventure": ("Action", "Adventure"),
    "Anime Features": ("Anime", "Animation"),
    "Anime Series": ("Anime", "Animation"),
    "British TV Shows": ("British",),
    "Children & Family Movies": ("Family",),
    "Classic & Cult TV": ("Classic", "Cult"),
    "Classic Movies": ("Classic",),
    "Comedies": ("Comedy",),
    "TV Comedies": ("Comedy",),
    "Crime TV Shows": ("Crime",),
    "Cult Movies": ("Cult",),
    "Documentaries": ("Documentary",),
    "Docuseries": ("Documentary",),
    "Dramas": ("Drama",),
    "TV Dramas": ("Drama",),
    "Faith & Spirituality": ("Faith",),
    "Horror Movies": ("Horror",),
    "TV Horror": ("Horror",),
    "Independent Movies": ("Independent",),
    "International Movies": ("International",),
    "International TV Shows": ("International",),
    "Kids' TV": ("Family",),
    "Korean TV Shows": ("Korean",),
    "LGBTQ Movies": ("LGBTQ",),
    "Movies": (),
    "Music & Musicals": ("Music",),
    "Reality TV": ("Reality",),
    "Romantic Movies": ("Romance",),
    "Romantic TV Shows": ("Romance",),
    "Sci-Fi & Fantasy": ("Science Fiction", "Fantasy"),
    "TV Sci-Fi & Fantasy": ("Science Fiction", "Fantasy"),
    "Science & Nature TV": ("Science & Nature",),
    "Spanish-Language TV Shows": ("Spanish-Language",),
    "Sports Movies": ("Sports",),
    "Stand-Up Comedy": ("Stand-Up", "Comedy"),
    "Stand-Up Comedy & Talk Shows": ("Stand-Up", "Comedy"),
    "Teen TV Shows": ("Teen",),
    "Thrillers": ("Thriller",),
    "TV Thrillers": ("Thriller",),
    "TV Mysteries": ("Mystery",),
    "TV Shows": (),
    # TVmaze
    "Science-Fiction": ("Science Fiction",),
    "Children": ("Family",),
}


def genres_of(names: Iterable[str]) -> tuple[Genre, ...]:
    """Our genres for a source's names, each once, in the source's order, at most MAX_GENRES."""
    ours = (our for name in names if name.strip() for our in _OURS.get(name.strip(), (name.strip(),)))
    return tuple(genre_named(name) for name in list(dict.fromkeys(ours))[:MAX_GENRES])
