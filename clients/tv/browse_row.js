// One row of a browsing page: its cards, and more of them as the focus comes near the end.

import { call } from "../shared/api.js";
import { h } from "../shared/elements.js";
import { nodes } from "../shared/titles.js";
import { titleCard } from "./cards.js";
import { DEVICE } from "./device.js";

const RANKED = 10;

/** kind: the page's. cursorBefore: of the section above, null for the first one. open: called with the card chosen. */
export function createRow(section, { kind, cursorBefore, open }) {
  const cardTrack = h("div", { class: "row-track", dataset: { row: section.kind, section: section.id } });
  const element = h("section", { class: `row is-${section.kind.toLowerCase()}`, "aria-label": section.heading }, h("h2", {}, section.heading), cardTrack);
  const titles = new Map();
  let end = section.items.pageInfo;
  let loading = false;

  function add(cards) {
    for (const card of cards) {
      if (titles.has(card.title.id)) continue;
      titles.set(card.title.id, card);
      const rank = section.kind === "TRENDING" && titles.size <= RANKED ? titles.size : null;
      cardTrack.append(titleCard({ title: card.title, artwork: card.artwork, layout: section.layout, rank, onopen: () => open(card) }));
    }
  }

  /** revision: the page's on screen; cards of another one belong to another row. */
  async function loadMore(revision) {
    if (loading || !end?.hasNextPage) return;
    loading = true;
    try {
      const { data } = await call("tv/row", { kind, device: DEVICE, sectionAfter: cursorBefore, cardsAfter: end.endCursor });
      const more = nodes(data.page.sections)[0];
      const same = more?.id === section.id && data.page.revision === revision;
      if (same) add(nodes(more.items).filter((card) => card.title));
      end = same ? more.items.pageInfo : null;
    } catch {
      end = null;
    } finally {
      loading = false;
    }
  }

  return { section, element, cardTrack, titles, add, loadMore };
}
