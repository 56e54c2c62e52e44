// Cards of the phone: posters, and wide cards for what was begun.

import { h, picture } from "../shared/elements.js";
import { duration, episodeLabel, partWatched } from "../shared/wording.js";

function bar(fraction) {
  return fraction > 0 ? h("span", { class: "bar" }, h("i", { style: { width: `${Math.round(Math.min(1, fraction) * 100)}%` } })) : null;
}

/**
 * A 2:3 poster; its name is on the picture, so it is said, not drawn again, unless there is no picture. Of an episode,
 * the series' name is said, and it and the episode stand below.
 */
export function posterCard(title, artwork, onopen, series = null) {
  const name = series?.displayName ?? title.displayName;
  const episode = episodeLabel(title);
  const note = [series?.displayName, episode].filter(Boolean).join(" · ");
  return h(
    "button",
    { class: "card poster", "aria-label": [name, episode].filter(Boolean).join(", "), dataset: { title: title.id }, onclick: onopen },
    h("span", { class: "poster-frame" }, picture(artwork, "poster-picture"), artwork ? null : h("span", { class: "poster-name" }, name), bar(partWatched(title.progress))),
    note ? h("span", { class: "wide-note" }, note) : null,
  );
}

/** A 16:9 card with the name below: what to go on with. */
export function wideCard(title, artwork, series, onopen) {
  const name = series?.displayName ?? title.displayName;
  const episode = episodeLabel(title);
  return h(
    "button",
    { class: "card wide", "aria-label": [name, episode].filter(Boolean).join(", "), dataset: { title: title.id }, onclick: onopen },
    h("span", { class: "wide-frame" }, picture(artwork, "wide-picture"), bar(partWatched(title.progress))),
    h("span", { class: "wide-name" }, name),
    episode ? h("span", { class: "wide-note" }, `${episode} · ${title.displayName}`) : null,
  );
}

/** One episode in the list of a season. */
export function episodeItem(episode, onplay) {
  return h(
    "li",
    { class: "episode" },
    h(
      "button",
      { class: "episode-play", dataset: { title: episode.id }, "aria-label": `Play episode ${episode.number}, ${episode.displayName}`, onclick: onplay },
      h("span", { class: "wide-frame" }, picture(episode.thumbnail, "wide-picture"), bar(episode.progress?.completed ? 1 : (episode.progress?.fraction ?? 0))),
      h(
        "span",
        { class: "episode-facts" },
        h("span", { class: "episode-name" }, `${episode.number}. ${episode.displayName}`),
        h("span", { class: "wide-note" }, episode.progress?.completed ? "Watched" : duration(episode.durationSeconds)),
      ),
    ),
    h("p", { class: "episode-synopsis" }, episode.synopsis),
  );
}
