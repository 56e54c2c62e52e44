// One row of a browsing page. It takes over another content in place: cards that stay are the same elements, so that
// nothing flickers and the focus stays on its card.

import { drawCards } from "../shared/card_track.js";
import { h } from "../shared/elements.js";
import { watchCard } from "../shared/interactions.js";
import { cardsByTitle } from "../shared/titles.js";
import { titleCard } from "./cards.js";
import { replaceItem } from "./focus.js";

const RANKED = 10;

/** open: called with the card chosen. */
export function createRow({ key, kind }, open) {
  const heading = h("h2");
  const cardTrack = h("div", { class: "row-track", dataset: { row: kind, section: key } });
  const element = h("section", { class: `row is-${kind.toLowerCase()}` }, heading, cardTrack);
  const shown = new Map();

  function draw(card, section, place) {
    const rank = kind === "TRENDING" && place < RANKED ? place + 1 : null;
    const known = shown.get(card.title.id);
    if (known?.card === card && known.rank === rank) return known;
    const content = JSON.stringify([card, section.layout, rank]);
    if (known?.content === content) return Object.assign(known, { card });
    const drawn = titleCard({ title: card.title, artwork: card.artwork, layout: section.layout, rank, onopen: () => open(shown.get(card.title.id).card) });
    if (known) {
      // The picture that is there stays there, instead of fading in again.
      if (known.card.artwork?.url === card.artwork?.url) drawn.querySelector(".card-picture").replaceWith(known.element.querySelector(".card-picture"));
      replaceItem(known.element, drawn);
    }
    watchCard(drawn, card);
    return { card, rank, content, element: drawn };
  }

  const row = {
    section: null,
    element,
    cardTrack,

    /** The card of a title on this row. */
    card: (titleId) => shown.get(titleId)?.card,

    /** Shows what the section holds now. */
    update(section) {
      row.section = section;
      heading.textContent = section.heading;
      element.setAttribute("aria-label", section.heading);
      drawCards(cardTrack, shown, cardsByTitle(section), (card, place) => draw(card, section, place));
    },
  };
  return row;
}
