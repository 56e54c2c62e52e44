"""Language tags as people and players write them: BCP 47's language, script and region, in its usual capitals."""

from __future__ import annotations

import re

from subgraphs.profiles.domain.countries import COUNTRIES

__all__ = ["LANGUAGES", "normalise_language"]

_TAG = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|[0-9]{3}))?")
_SHORT_CODES = """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en
    eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja
    jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb
    nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq
    sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
LANGUAGES = frozenset(_SHORT_CODES.split())
"""ISO 639-1. Languages without a two-letter code go by their three letters, which are not looked up."""


def normalise_language(text: str) -> str | None:
    """`PT-br` → `pt-BR`, `zh-hant` → `zh-Hant`; None when it is no such tag, or of a language nobody registered."""
    found = _TAG.fullmatch(text.strip().replace("_", "-"))
    if found is None:
        return None
    language, script, region = (part or "" for part in found.groups())
    language, script, region = language.lower(), script.title(), region.upper()
    if len(language) == 2 and language not in LANGUAGES:
        return None
    if len(region) == 2 and region not in COUNTRIES:
        return None
    return "-".join(part for part in (language, script, region) if part)
