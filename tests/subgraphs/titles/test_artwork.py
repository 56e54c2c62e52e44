"""Artwork: what is drawn, that it is always the same, and how it is asked for."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from subgraphs.kernel.ids import TitleId
from subgraphs.titles.adapters.render_pool import ArtworkUnavailable, RenderPool
from subgraphs.titles.artwork.design import FAMILIES, PALETTES, choose_design, placeholder_color
from subgraphs.titles.artwork.emblems import EMBLEMS_BY_GENRE
from subgraphs.titles.artwork.families import FAMILY_BY_NAME
from subgraphs.titles.artwork.lettering import fit_text
from subgraphs.titles.artwork.render import MASTER_SIZES, MasterSpec, render_master
from subgraphs.titles.artwork.typefaces import load_typefaces
from subgraphs.titles.artwork_sizes import SIZES_BY_ROLE, VARIANTS
from subgraphs.titles.demo import load_demo
from subgraphs.titles.domain.artwork_reference import ArtworkReference, ArtworkRole, ImageFormat, read_artwork_id
from subgraphs.titles.ports import MasterRequest
from tests.subgraphs.titles.conftest import Service


def spec(title_id: str = "mov_a", role: str = "POSTER", name: str = "The Paper Moth", *genres: str) -> MasterSpec:
    return MasterSpec(title_id, role, "main", name, genres or ("Drama",), 1926, "Ada Lund")


def picture(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("role", list(MASTER_SIZES))
def test_draws_each_role_the_same_every_time(role: str) -> None:
    """The right size and format, the same bytes again, other bytes for another title."""
    first = render_master(spec(role=role))
    image = picture(first)
    assert (MASTER_SIZES[role], "PNG" if role == "LOGO" else "JPEG") == (image.size, image.format)
    assert first == render_master(spec(role=role))
    assert first != render_master(spec("mov_b", role, "Another Name"))


def test_a_logo_is_clear_around_its_letters() -> None:
    """Transparent corners, opaque letters."""
    alpha = picture(render_master(spec(role="LOGO"))).getchannel("A")
    assert alpha.getpixel((799, 0)) == 0
    assert alpha.getextrema() == (0, 255)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_fills_the_picture(family: str) -> None:
    """With many tones, and differently from title to title."""
    ids = (f"mov_{number}" for number in range(1_000))
    genre = next(name for name in ("Comedy", "Horror", "War", "Animation") if _has(family, name))
    of_family = [each for each in ids if choose_design(each, [genre], 1926).family == family][:2]
    images = [picture(render_master(spec(each, "THUMBNAIL", "X", genre))) for each in of_family]
    assert all(len(image.getcolors(1_000_000) or ()) > 1_000 for image in images)
    assert images[0].tobytes() != images[1].tobytes()


def _has(family: str, genre: str) -> bool:
    return any(choose_design(f"mov_{number}", [genre], 1926).family == family for number in range(100))


@pytest.mark.parametrize("genre", [*EMBLEMS_BY_GENRE, "Unheard Of"])
def test_every_genre_can_be_drawn(genre: str) -> None:
    """All emblems of the table are drawn without an error."""
    for number in range(4):
        assert picture(render_master(spec(f"mov_{number}", "THUMBNAIL", "X", genre))).size == MASTER_SIZES["THUMBNAIL"]


@pytest.mark.parametrize(
    "name",
    [
        "It",
        "M",
        "Borat: Cultural Learnings of America for Make Benefit Glorious Nation of Kazakhstan and More " * 3,
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        "映画の夜",
        "Фантомас",
        "Ōkami · Ñandú — «Ça ira»",
        "???",
        "🎬",
    ],
)
@pytest.mark.parametrize("role", ["POSTER", "LOGO"])
def test_sets_any_name(name: str, role: str) -> None:
    """Long, short, foreign or strange, with or without typefaces."""
    for folder in (None, Path("clients/node_modules").resolve()):
        load_typefaces(folder)
        assert picture(render_master(spec(role=role, name=name))).size == MASTER_SIZES[role]


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=60))
def test_text_fits_its_box_or_is_set_at_the_smallest_size(text: str) -> None:
    """Never higher than asked unless it could not be set smaller."""
    fitted = fit_text(text, "text", 400, 120, 80)
    assert fitted.size_px <= 80
    assert fitted.height_px <= 120 or fitted.size_px == 12


def test_a_page_of_the_demo_is_varied() -> None:
    """Among the forty most popular films no family and no palette has more than a third."""
    popular = sorted((t for t in load_demo().titles if t.kind != "EPISODE"), key=lambda t: -t.popularity)[:40]
    designs = [choose_design(t.id, [g.display_name for g in t.genres], t.release_year) for t in popular]
    for chosen in ([design.family for design in designs], [str(design.palette) for design in designs]):
        assert max(chosen.count(each) for each in chosen) <= 40 / 3


def test_design_data_is_whole() -> None:
    """Families of the table can be drawn; the placeholder is a colour."""
    assert set(FAMILIES) == set(FAMILY_BY_NAME)
    assert len(PALETTES) >= 12
    assert len(placeholder_color("mov_a", ("Drama",))) == 7


def test_refuses_an_unknown_role() -> None:
    """Naming those that there are."""
    with pytest.raises(ValueError, match="role is 'BANNER'; known are POSTER"):
        render_master(spec(role="BANNER"))


ids = st.from_regex(r"\A(mov|ser|epi)_[A-Za-z0-9-]{1,100}\Z")


@given(title_id=ids, role=st.sampled_from(ArtworkRole), width=st.integers(1, 3_000), form=st.sampled_from(ImageFormat))
def test_artwork_ids_are_read_as_they_were_written(
    title_id: str, role: ArtworkRole, width: int, form: ImageFormat
) -> None:
    """And the size is the smallest that is not smaller, or the largest."""
    reference = ArtworkReference.nearest(TitleId(title_id), role, width, form)
    assert reference == read_artwork_id(reference.id)
    widths = [size[0] for size in SIZES_BY_ROLE[role]]
    assert reference.width_px == min((each for each in widths if each >= width), default=widths[-1])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mov_a",
        "mov_a~POSTER~main~240x360",
        "mov_a~POSTER~main~240x361~JPEG",
        "mov_a~BANNER~main~240x360~JPEG",
        "mov_a~POSTER~main~240x360~GIF",
        "mov_a~POSTER~../x~240x360~JPEG",
        "../../etc~POSTER~main~240x360~JPEG",
        "mov_a~POSTER~main~240x360~JPEG\n",
        "mov_a~POSTER~main~240x360~JPEG~JPEG",
        "mov_" + "a" * 200 + "~POSTER~main~240x360~JPEG",
    ],
)
def test_other_texts_are_no_artwork_ids(text: str) -> None:
    """Whatever a client makes up."""
    assert read_artwork_id(text) is None


async def test_the_pool_draws_in_a_process_and_ends(tmp_path: Path) -> None:
    """The same bytes as drawn here, and no process left."""
    load_typefaces(None)
    pool = RenderPool(1, None)
    request = MasterRequest(TitleId("mov_a"), "LOGO", "main", "The Paper Moth", "MOVIE", ("Drama",), 1926, "Ada Lund")
    try:
        assert render_master(spec(role="LOGO")) == await pool.render(request)
        processes = list(pool._pool._processes.values())  # type: ignore[union-attr]
        processes[0].kill()
        with pytest.raises(ArtworkUnavailable, match="a new one starts"):
            await pool.render(request)
        assert render_master(spec(role="LOGO")) == await pool.render(request)
        processes = list(pool._pool._processes.values())  # type: ignore[union-attr]
    finally:
        await pool.aclose()
    assert not any(process.is_alive() for process in processes)


async def test_masters_over_http(own_service: Service) -> None:
    """Drawn once, kept as an object under its contracted name, and then read; anything else is 404."""
    http: Any = own_service.http
    drawn = await http.get("/artwork-masters/mov_the-kid-1921/logo/main")
    assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/png")
    path = own_service.state_dir / "objects" / "artwork" / "mov_the-kid-1921" / "logo" / "main.png"
    assert drawn.content == path.read_bytes()
    path.write_bytes(b"from the studio")
    assert (await http.get("/artwork-masters/mov_the-kid-1921/LOGO/main")).content == b"from the studio"
    for missing in (
        "mov_none/logo/main",
        "mov_the-kid-1921/banner/main",
        "mov_the-kid-1921/logo/other",
        "..%2f/logo/main",
    ):
        assert (await http.get(f"/artwork-masters/{missing}")).status_code == 404


def test_variants_of_a_title_differ_in_palette_and_composition() -> None:
    """For every title of the demo, also of genres with few of either; the main one is what it always was."""
    for title in load_demo().titles:
        genres = [genre.display_name for genre in title.genres]
        designs = [choose_design(title.id, genres, title.release_year, variant) for variant in VARIANTS]
        assert designs[0] == choose_design(title.id, genres, title.release_year)
        assert len({str(design.palette) for design in designs}) == len({design.family for design in designs}) == 3


def test_each_variant_is_another_picture_and_always_the_same() -> None:
    """Byte for byte; an unknown variant is refused by name."""
    pictures = [render_master(replace(spec(role="THUMBNAIL"), variant=variant)) for variant in VARIANTS]
    assert len(set(pictures)) == 3
    assert pictures[1] == render_master(replace(spec(role="THUMBNAIL"), variant="second"))
    with pytest.raises(ValueError, match="variant is 'fourth'; known are main, second, third"):
        render_master(replace(spec(role="POSTER"), variant="fourth"))
