"""What words of a question may mean besides themselves: tables, folded as `domain.relevance.words_of` folds.

A phrase is one or more words with one blank between. Every entry is a second way to be found and takes none away: a
film called "Comedy" is still found by its name.
"""

from __future__ import annotations

from collections.abc import Mapping

from subgraphs.titles.domain.title import TitleKind

__all__ = ["DECADES", "GENRES", "KINDS", "MAX_PHRASE_LENGTH", "ORIGINS", "SYNONYMS"]

MAX_PHRASE_LENGTH = 3
"""Words."""

GENRES: Mapping[str, str] = {
    phrase: genre
    for genre, phrases in {
        "Action": ("action", "action packed"),
        "Adventure": ("adventure", "adventures"),
        "Animation": ("animation", "animated", "cartoon", "cartoons"),
        "Anime": ("anime", "animes"),
        "Biography": ("biography", "biographies", "biographical", "biopic", "biopics"),
        "Comedy": ("comedy", "comedies", "comedic"),
        "Crime": ("crime",),
        "Documentary": ("documentary", "documentaries", "docu", "docuseries"),
        "Drama": ("drama", "dramas"),
        "Erotic": ("erotic", "erotica"),
        "Family": ("family",),
        "Fantasy": ("fantasy", "fantasies"),
        "Film Noir": ("film noir", "films noirs", "noir", "noirs"),
        "History": ("history", "historical"),
        "Horror": ("horror", "horrors"),
        "Martial Arts": ("martial arts", "martial art", "kung fu"),
        "Music": ("music", "musical", "musicals"),
        "Mystery": ("mystery", "mysteries", "whodunit"),
        "Political": ("political",),
        "Reality": ("reality tv",),
        "Romance": ("romance", "romances", "romantic"),
        "Satire": ("satire", "satires"),
        "Science Fiction": ("science fiction", "sci fi", "scifi", "sf"),
        "Short": ("short", "shorts"),
        "Silent": ("silent", "silents"),
        "Slasher": ("slasher", "slashers"),
        "Sports": ("sport", "sports"),
        "Spy": ("spy", "spies", "espionage"),
        "Stand-Up": ("stand up", "standup"),
        "Superhero": ("superhero", "superheroes"),
        "Supernatural": ("supernatural",),
        "Thriller": ("thriller", "thrillers", "suspense"),
        "War": ("war",),
        "Western": ("western", "westerns"),
    }.items()
    for phrase in phrases
}
"""Genre names by phrase; plurals, adjectives and other people's words."""

KINDS: Mapping[str, TitleKind] = {
    **dict.fromkeys(("movie", "movies", "film", "films", "picture", "pictures"), TitleKind.MOVIE),
    **dict.fromkeys(
        ("series", "serial", "serials", "show", "shows", "tv show", "tv shows", "tv series", "miniseries"),
        TitleKind.SERIES,
    ),
    **dict.fromkeys(("episode", "episodes"), TitleKind.EPISODE),
}

DECADES: Mapping[str, int] = {
    "twenties": 1920,
    "thirties": 1930,
    "forties": 1940,
    "fifties": 1950,
    "sixties": 1960,
    "seventies": 1970,
    "eighties": 1980,
    "nineties": 1990,
}
"""First years. "80s" and "1980s" are read without a table."""

ORIGINS: Mapping[str, tuple[str | None, str | None]] = {
    "american": ("US", None), "arabic": (None, "ar"), "argentine": ("AR", None), "argentinian": ("AR", None),
    "australian": ("AU", None), "austrian": ("AT", None), "belgian": ("BE", None), "bollywood": ("IN", "hi"),
    "brazilian": ("BR", None), "british": ("GB", None), "canadian": ("CA", None), "cantonese": (None, "zh"),
    "chinese": ("CN", "zh"), "czech": ("CZ", "cs"), "danish": ("DK", "da"), "dutch": ("NL", "nl"),
    "egyptian": ("EG", None), "english": (None, "en"), "finnish": ("FI", "fi"), "french": ("FR", "fr"),
    "german": ("DE", "de"), "greek": ("GR", "el"), "hebrew": (None, "he"), "hindi": (None, "hi"),
    "hungarian": ("HU", "hu"), "icelandic": ("IS", "is"), "indian": ("IN", None), "indonesian": ("ID", "id"),
    "iranian": ("IR", "fa"), "irish": ("IE", None), "israeli": ("IL", None), "italian": ("IT", "it"),
    "japanese": ("JP", "ja"), "korean": ("KR", "ko"), "mexican": ("MX", None), "nigerian": ("NG", None),
    "norwegian": ("NO", "no"), "persian": (None, "fa"), "polish": ("PL", "pl"), "portuguese": ("PT", "pt"),
    "romanian": ("RO", "ro"), "russian": ("RU", "ru"), "scottish": ("GB", None), "spanish": ("ES", "es"),
    "swedish": ("SE", "sv"), "swiss": ("CH", None), "tamil": (None, "ta"), "thai": ("TH", "th"),
    "turkish": ("TR", "tr"), "ukrainian": ("UA", "uk"), "vietnamese": ("VN", "vi"),
}  # fmt: skip
"""(country in ISO 3166, language in ISO 639) by adjective; one of the two is enough to be found."""

_SAME = (
    ("1", "one"),
    ("2", "ii", "two"),
    ("3", "iii", "three"),
    ("4", "iv", "four"),
    ("5", "v", "five"),
    ("6", "vi", "six"),
    ("7", "vii", "seven"),
    ("8", "viii", "eight"),
    ("9", "ix", "nine"),
    ("10", "x", "ten"),
    ("11", "xi", "eleven"),
    ("12", "xii", "twelve"),
    ("13", "xiii", "thirteen"),
    ("dr", "doctor"),
    ("mr", "mister"),
    ("st", "saint"),
    ("vs", "versus"),
    ("vol", "volume"),
    ("pt", "part"),
    ("ep", "episode"),
    ("wwii", "ww2", "world war ii"),
    ("wwi", "ww1", "world war i"),
    ("nyc", "new york"),
    ("usa", "america"),
    ("colour", "color"),
    ("grey", "gray"),
    ("theatre", "theater"),
    ("xmas", "christmas"),
    ("film", "movie", "picture"),
    ("kid", "child"),
    ("kids", "children"),
)
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    word: tuple(other for other in group if other != word) for group in _SAME for word in group if " " not in word
}
"""Other phrases for a word; all words of a phrase must be in one field. A phrase itself is looked up word by word."""
