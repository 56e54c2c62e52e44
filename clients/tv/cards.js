// The cards of rows: one picture, the words that the picture lacks, progress when there is some.

import { h, picture } from "../shared/elements.js";
import { duration, episodeLabel, partWatched, remaining } from "../shared/wording.js";
import { rem } from "./device.js";

/** A wide or tall card. title: as in the row's operation; artwork may be null; note: the small line under the name. */
export function titleCard({ title, artwork, layout, note, rank, onopen }) {
  const size = layout ? { "--card-width": rem(layout.cardWidthPx), "--card-height": rem(layout.cardHeightPx) } : {};
  const name = title.series?.displayName ?? title.displayName;
  const small = note ?? cardNote(title);
  const fraction = partWatched(title.progress);
  return h(
    "button",
    {
      class: `card${layout?.artworkRole === "POSTER" ? " is-poster" : ""}`,
      style: size,
      dataset: { item: "", title: title.id },
      "aria-label": [name, small].filter(Boolean).join(", "),
      onclick: onopen,
    },
    picture(artwork, "card-picture"),
    rank ? h("span", { class: "card-rank", "aria-hidden": "true" }, String(rank)) : null,
    h("span", { class: "card-words" }, h("span", { class: "card-name" }, name), small ? h("span", { class: "card-note" }, small) : null),
    fraction > 0 ? h("span", { class: "bar card-bar" }, h("i", { style: { width: `${Math.round(fraction * 100)}%` } })) : null,
  );
}

function cardNote(title) {
  const episode = episodeLabel(title);
  const left = remaining(title.progress);
  if (episode) return [episode, left ?? title.displayName].join(" · ");
  return left ?? (title.releaseYear ? String(title.releaseYear) : null);
}

/** An episode of a season: picture, number and name, two lines of what happens. */
export function episodeCard(episode, onplay) {
  const fraction = episode.progress?.completed ? 1 : (episode.progress?.fraction ?? 0);
  return h(
    "button",
    { class: "card episode-card", dataset: { item: "", title: episode.id }, "aria-label": `Episode ${episode.number}, ${episode.displayName}`, onclick: onplay },
    picture(episode.thumbnail, "card-picture"),
    fraction > 0 ? h("span", { class: "bar card-bar" }, h("i", { style: { width: `${Math.round(fraction * 100)}%` } })) : null,
    h(
      "span",
      { class: "episode-words" },
      h("span", { class: "episode-name" }, `${episode.number}. ${episode.displayName}`),
      h("span", { class: "episode-length" }, episode.progress?.completed ? "Watched" : duration(episode.durationSeconds)),
      h("span", { class: "episode-synopsis" }, episode.synopsis),
    ),
  );
}
