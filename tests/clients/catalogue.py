"""The titles that the pages' tests show: facts of real films, from recorded/titles.json."""

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

Title = dict[str, Any]

RECORDED = Path(__file__).parent / "recorded"
CODES = {0: "U", 7: "PG", 12: "12", 16: "16", 18: "18"}
PALETTE = ["#5b2333", "#20405b", "#4a3a1e", "#1f4d45", "#4b2b5a", "#5a3921", "#2b3a67", "#38502b"]


def slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def artwork(title_id: str, role: str, width_px: int) -> dict[str, Any]:
    ratio = {"POSTER": 3 / 2, "LOGO": 2 / 5}.get(role, 9 / 16)
    height_px = round(width_px * ratio)
    return {
        "id": f"{title_id}~{role}~main~{width_px}x{height_px}~WEBP",
        "role": role,
        "url": f"/artwork/{title_id}/{role.lower()}/main/{width_px}x{height_px}.svg",
        "widthPx": width_px,
        "heightPx": height_px,
        "format": "WEBP",
        "altText": "",
        "placeholderColor": PALETTE[sum(title_id.encode()) % len(PALETTE)],
    }


def _title(title_id: str, typename: str, name: str, **facts: Any) -> Title:
    def synopsis(_info: object, maxLength: int | None = None) -> str:  # noqa: N803 - the schema's name
        text: str = facts["text"]
        return text if maxLength is None or len(text) <= maxLength else f"{text[: maxLength - 1]}…"

    def picture(_info: object, role: str, widthPx: int, **_wish: str) -> dict[str, Any] | None:  # noqa: N803
        return None if role == "LOGO" else artwork(title_id, role, widthPx)

    def credits_(_info: object, role: str | None = None, first: int = 10) -> list[dict[str, Any]]:
        people = facts["cast"] if role == "CAST" else [facts["director"]]
        return [{"person": {"id": slug(one), "displayName": one}, "role": role, "character": None} for one in people][
            :first
        ]

    age: int = facts["minimumAge"]
    return {
        "__typename": typename,
        "id": title_id,
        "kind": typename.upper(),
        "displayName": name,
        "synopsis": synopsis,
        "releaseYear": facts["year"],
        "durationSeconds": facts["minutes"] * 60 if facts.get("minutes") else None,
        "genres": [{"id": slug(genre), "displayName": genre} for genre in facts["genres"]],
        "certificate": {"code": CODES[age], "minimumAge": age},
        "availability": {"isAvailable": True},
        "mediaStatus": "NONE",
        "artwork": picture,
        "credits": credits_,
        "trailers": [],
        "isKids": age == 0,
        "match": round(0.55 + (sum(name.encode()) % 44) / 100, 2),
    }


def read_titles() -> dict[str, Title]:
    """Every title by id: films, the series, its episodes. The first three films and all episodes have media."""
    recorded = json.loads((RECORDED / "titles.json").read_text())
    titles: dict[str, Title] = {}
    for name, year, minutes, genres, director, cast, age, text in recorded["films"]:
        facts = {"year": year, "minutes": minutes, "genres": genres, "director": director, "cast": cast}
        title = _title(f"mov_{slug(name)}", "Movie", name, minimumAge=age, text=text, **facts)
        titles[title["id"]] = title
    for title_id in list(titles)[:3]:
        titles[title_id]["mediaStatus"] = "READY"
    _add_series(titles, recorded["series"])
    return titles


def add_trailer(titles: dict[str, Title], title_id: str, *, media_status: str = "READY") -> Title:
    """A trailer of a film, among the titles as every video is."""
    facts = {
        "year": 1927,
        "minutes": 2,
        "genres": [],
        "director": "Fritz Lang",
        "cast": [],
        "minimumAge": 7,
        "text": "",
    }
    trailer = _title(f"vid_{len(titles)}", "Video", f"{titles[title_id]['displayName']}: trailer", **facts)
    trailer |= {"videoKind": "TRAILER", "of": titles[title_id], "mediaStatus": media_status}
    titles[trailer["id"]] = trailer
    titles[title_id]["trailers"] = [*titles[title_id]["trailers"], trailer]
    return trailer


def _add_series(titles: dict[str, Title], recorded: dict[str, Any]) -> None:
    facts = {key: recorded[key] for key in ("year", "genres", "director", "cast", "minimumAge")}
    series = _title("ser_les-vampires", "Series", recorded["name"], text=recorded["synopsis"], **facts)
    seasons = []
    episodes: list[Title] = []
    for number, listed in enumerate(recorded["seasons"], 1):
        season: dict[str, Any] = {"id": f"sea_{number}", "number": number, "displayName": f"Season {number}"}
        own = []
        for episode_number, (name, minutes, text) in enumerate(listed, 1):
            episode = _title(f"epi_{slug(name)}", "Episode", name, minutes=minutes, text=text, **facts)
            episode |= {"number": episode_number, "season": season, "series": series, "mediaStatus": "READY"}
            own.append(episode)
        season |= {"episodeCount": len(own), "series": series, "episodes": own}
        seasons.append(season)
        episodes += own
    for episode, following in zip(episodes, [*episodes[1:], None], strict=True):
        episode["nextEpisode"] = following
    series |= {"seasonCount": len(seasons), "seasons": seasons}
    titles[series["id"]] = series
    titles |= {episode["id"]: episode for episode in episodes}
