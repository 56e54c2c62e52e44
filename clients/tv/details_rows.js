// The rows below a title's own words: its episodes by season, its trailers, the people in it, and titles like it.

import { h } from "../shared/elements.js";
import { nodes } from "../shared/titles.js";
import { duration } from "../shared/wording.js";
import { episodeCard, titleCard } from "./cards.js";

const SIMILAR_LAYOUT = { artworkRole: "BACKDROP", cardWidthPx: 160, cardHeightPx: 90 };

/** The episodes of a series, a tab for each season; nothing for a film. play: called with an episode's id. */
export function episodeRows(series, play) {
  const seasons = nodes(series.seasons).filter((season) => nodes(season.episodes).length);
  if (!seasons.length) return series.kind === "SERIES" ? [h("p", { class: "details-empty" }, "No episodes are available yet.")] : [];
  const tabs = h("div", { class: "seasons", dataset: { row: "seasons" }, role: "tablist" });
  const track = h("div", { class: "row-track", dataset: { row: "episodes" } });
  const show = (season) => {
    for (const tab of tabs.children) tab.setAttribute("aria-selected", String(tab.dataset.season === season.id));
    track.style.translate = "0 0";
    track.replaceChildren(...nodes(season.episodes).map((episode) => episodeCard(episode, () => play(episode.id))));
  };
  for (const season of seasons) {
    tabs.append(h("button", { class: "season", role: "tab", dataset: { item: "", season: season.id }, onclick: () => show(season) }, season.displayName));
  }
  // A season is shown as soon as its tab has the focus.
  tabs.addEventListener("itemfocus", ({ detail: { item } }) => show(seasons.find((season) => season.id === item.dataset.season)));
  const resumeSeason = series.progress?.resumeTitle?.season?.number;
  show(seasons.find((season) => season.number === resumeSeason) ?? seasons[0]);
  return [h("section", { class: "row is-episodes", "aria-label": "Episodes" }, seasons.length > 1 ? tabs : h("h2", {}, seasons[0].displayName), track)];
}

/** Trailers that can be played, where there are any. play: called with a trailer's id. */
export function trailerRows(title, play) {
  const ready = (title.trailers ?? []).filter((trailer) => trailer?.mediaStatus === "READY");
  if (!ready.length) return [];
  const cards = ready.map((trailer) =>
    titleCard({ title: trailer, artwork: trailer.thumbnail, layout: SIMILAR_LAYOUT, note: duration(trailer.durationSeconds), onopen: () => play(trailer.id) }),
  );
  return [h("section", { class: "row", "aria-label": "Trailers" }, h("h2", {}, "Trailers"), h("div", { class: "row-track", dataset: { row: "trailers" } }, cards))];
}

/** Who made it and who is in it, each once. open: called with a person. */
export function peopleRows(title, open) {
  const credits = new Map();
  for (const { person } of title.directors ?? []) credits.set(person.id, { person, part: "Director" });
  for (const { person, character } of title.cast ?? []) if (!credits.has(person.id)) credits.set(person.id, { person, part: character });
  if (!credits.size) return [];
  const people = [...credits.values()].map(({ person, part }) =>
    h(
      "button",
      { class: "person", dataset: { item: "", person: person.id }, "aria-label": [person.displayName, part].filter(Boolean).join(", "), onclick: () => open(person) },
      h("span", { class: "person-name" }, person.displayName),
      part ? h("span", { class: "person-part" }, part) : null,
    ),
  );
  return [h("section", { class: "row", "aria-label": "Cast and crew" }, h("h2", {}, "Cast and crew"), h("div", { class: "row-track", dataset: { row: "people" } }, people))];
}

/** Titles like this one, where there are any. open: called with the title of a card. */
export function similarRows(title, open) {
  const similar = nodes(title.similar);
  if (!similar.length) return [];
  const cards = similar.map((other) =>
    titleCard({ title: other, artwork: other.wide, layout: SIMILAR_LAYOUT, onopen: () => open(other) }),
  );
  return [h("section", { class: "row", "aria-label": "More like this" }, h("h2", {}, "More like this"), h("div", { class: "row-track", dataset: { row: "similar" } }, cards))];
}
