"""Languages as files tag them (ISO 639-2, three letters) and as manifests want them (BCP 47, the shortest code)."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["language_name", "language_tag"]

_PAIRS = (
    "ara:ar ben:bn bul:bg cat:ca ces:cs chi:zh cze:cs cym:cy dan:da deu:de dut:nl ell:el eng:en est:et eus:eu "
    "fas:fa fin:fi fra:fr fre:fr ger:de gle:ga glg:gl gre:el guj:gu heb:he hin:hi hrv:hr hun:hu hye:hy ice:is "
    "ind:id isl:is ita:it jpn:ja kan:kn kat:ka kaz:kk khm:km kor:ko lat:la lav:lv lit:lt mac:mk mal:ml mar:mr "
    "may:ms mkd:mk mon:mn msa:ms mya:my nep:ne nld:nl nob:nb nor:no nno:nn pan:pa per:fa pol:pl por:pt ron:ro "
    "rum:ro rus:ru sin:si slk:sk slo:sk slv:sl spa:es sqi:sq srp:sr swa:sw swe:sv tam:ta tel:te tgl:tl tha:th "
    "tur:tr ukr:uk urd:ur uzb:uz vie:vi wel:cy zho:zh zul:zu"
)
_TAG_BY_CODE: Mapping[str, str] = dict(pair.split(":") for pair in _PAIRS.split())
"""Both forms of ISO 639-2 where it has two. A language without a two-letter code keeps its three."""

_NAME_BY_TAG: Mapping[str, str] = {
    "ar": "العربية",
    "bn": "বাংলা",
    "bg": "Български",
    "ca": "Català",
    "cs": "Čeština",
    "da": "Dansk",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "en": "English",
    "es": "Español",
    "et": "Eesti",
    "fa": "فارسی",
    "fi": "Suomi",
    "fr": "Français",
    "he": "עברית",
    "hi": "हिन्दी",
    "hr": "Hrvatski",
    "hu": "Magyar",
    "id": "Bahasa Indonesia",
    "is": "Íslenska",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "lt": "Lietuvių",
    "lv": "Latviešu",
    "ms": "Bahasa Melayu",
    "nb": "Norsk bokmål",
    "nl": "Nederlands",
    "no": "Norsk",
    "pl": "Polski",
    "pt": "Português",
    "ro": "Română",
    "ru": "Русский",
    "sk": "Slovenčina",
    "sl": "Slovenščina",
    "sr": "Српски",
    "sv": "Svenska",
    "ta": "தமிழ்",
    "te": "తెలుగు",
    "th": "ไทย",
    "tr": "Türkçe",
    "uk": "Українська",
    "vi": "Tiếng Việt",
    "zh": "中文",
}
"""What speakers call their language: the name that a menu should show."""


def language_tag(code: str) -> str:
    """The BCP 47 tag for a file's language code; "und" for what is none."""
    code = code.strip().lower()
    if not (2 <= len(code) <= 8 and code.isascii() and code.isalpha()):
        return "und"
    return _TAG_BY_CODE.get(code, code)


def language_name(tag: str) -> str:
    """A name for menus: the language's own, else the tag; "Original" where the language is unknown."""
    return "Original" if tag == "und" else _NAME_BY_TAG.get(tag, tag)
