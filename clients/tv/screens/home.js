// A browsing page: the hero, then rows. The server decides what they are and in which order; this page only draws the
// kinds that it told the server it can draw, and takes changes over in place.

import { HeldPage } from "../../shared/held_page.js";
import { cardOpened, watchCard } from "../../shared/interactions.js";
import { h, icon, statement } from "../../shared/elements.js";
import { readSession } from "../../shared/session.js";
import { nodes } from "../../shared/titles.js";
import { failureWords, heroLine } from "../../shared/wording.js";
import { createBillboard } from "../billboard.js";
import { createRow } from "../browse_row.js";
import { DEVICE } from "../device.js";
import { focusItem, itemsOf, rememberedItem, rowsOf, slideTo } from "../focus.js";
import { topBar } from "../top_bar.js";
import { detailsScreen } from "./details.js";
import { playerScreen } from "./player.js";

const ROWS_AHEAD = 2;
const CARDS_AHEAD = 4;
const NAMES = { HOME: "Home", MOVIES: "Films", SERIES: "Series" };

/** kind: HOME | MOVIES | SERIES | GENRE, the last with genre {id, displayName}. */
export function homeScreen(app, kind = "HOME", genre = null) {
  const name = genre?.displayName ?? NAMES[kind];
  const page = new HeldPage("tv", () => ({ kind, device: DEVICE, genreId: genre?.id ?? null }));
  const rows = new Map();
  const billboard = createBillboard();
  const actions = h("div", { class: "hero-actions", dataset: { row: "hero" } });
  const track = h("div", { class: "rows-track" }, skeletonRows());
  const element = h(
    "section",
    { class: "screen home is-at-hero", "aria-label": name },
    billboard.backdrop,
    topBar(app, kind, genre?.displayName),
    h("div", { class: "billboard" }, billboard.words, actions),
    h("div", { class: "rows" }, track),
  );
  let hero = null;
  let seenChanges = app.changes;

  async function load() {
    try {
      const errors = await page.load();
      draw();
      if (errors.length) app.toast("Some parts of this page could not be loaded.");
    } catch (error) {
      if (error.kind !== "signed-out") fail(error);
    }
  }

  /** Asks for more or other content; what is there stays when that fails. */
  async function take(asked) {
    try {
      if ((await asked) && element.isConnected) draw();
    } catch (error) {
      console.warn("page:", error.message);
    }
  }

  function draw() {
    const place = placeOfFocus();
    element.classList.add("is-settled");
    // What was the matter, and the way to try again, are not waited for by the first title's words.
    if (element.dataset.state === "failed") billboard.words.replaceChildren();
    const sections = page.sections.filter((section) => nodes(section.items).some((card) => card.title));
    drawHero(sections.find((section) => section.__typename === "HeroSection"));
    drawRows(sections.filter((section) => section.__typename !== "HeroSection"));
    element.classList.toggle("has-no-hero", !hero);
    if (!rows.size && !hero) track.replaceChildren(nothingHere());
    element.dataset.state = "ready";
    if (app.isCurrent(screen)) restoreFocus(place);
    // What moves because the page changed is there at once; only what the viewer moves glides.
    requestAnimationFrame(() => requestAnimationFrame(() => element.classList.remove("is-settled")));
  }

  function drawRows(sections) {
    const keys = new Set(sections.map((section) => section.key));
    for (const [key, row] of rows) if (!keys.has(key)) rows.delete(key), row.element.remove();
    for (const child of [...track.children]) if (!child.dataset.drawn) child.remove();
    sections.forEach((section, place) => {
      if (!rows.has(section.key)) rows.set(section.key, createRow(section, open));
      const row = rows.get(section.key);
      row.element.dataset.drawn = "true";
      row.update(section);
      if (track.children[place] !== row.element) track.insertBefore(row.element, track.children[place] ?? null);
    });
  }

  function open(card) {
    cardOpened(card);
    app.open(detailsScreen(app, card.series?.id ?? card.title.series?.id ?? card.title.id, pictured(card)));
  }

  function drawHero(section) {
    const card = section && nodes(section.items).find((one) => one.title);
    const logo = section && nodes(section.hero)[0]?.title?.logo;
    const next = card ? { card, title: { ...pictured(card), logo }, reason: heroLine(section) } : null;
    if (next && JSON.stringify(next) === JSON.stringify(hero)) return;
    hero = next;
    actions.replaceChildren(...(hero ? heroButtons(hero) : []));
    if (hero) watchCard(actions, hero.card);
  }

  function heroButtons({ card, title }) {
    const plays = title.mediaStatus === "READY" && title.kind !== "SERIES";
    const words = title.progress?.positionSeconds > 0 ? "Resume" : "Play";
    const play = () => (cardOpened(card), app.open(playerScreen(app, title.id)));
    const details = heroButton("info", "Details", () => open({ ...card, title }), !plays);
    return plays ? [heroButton("play", words, play, true), details] : [details];
  }

  function showAtHero() {
    track.style.translate = "0 0";
    if (hero) return billboard.showSoon(hero.title, hero.reason);
    const first = rows.values().next().value;
    const card = first && nodes(first.section.items)[0];
    if (card) billboard.showSoon(pictured(card), first.section.reason?.text);
  }

  element.addEventListener("itemfocus", ({ detail: { row: rowElement, item } }) => {
    const row = rows.get(rowElement.dataset.section);
    element.classList.toggle("is-at-hero", !row && Boolean(hero));
    const ordered = orderedRows();
    const index = ordered.indexOf(row);
    ordered.forEach((other, place) => {
      other.element.classList.toggle("is-passed", place < index);
      other.element.classList.toggle("is-current", place === index);
    });
    if (!row) return showAtHero();
    track.style.translate = `0 ${-row.element.offsetTop}px`;
    slideTo(row.cardTrack, item, row.element.clientWidth);
    billboard.showSoon(pictured(row.card(item.dataset.title)), row.section.reason?.text);
    if (index >= ordered.length - 1 - ROWS_AHEAD) take(page.loadMore());
    const items = itemsOf(rowElement);
    if (items.indexOf(item) >= items.length - CARDS_AHEAD) take(page.loadCards(row.section));
  });

  function orderedRows() {
    return page.sections.map((section) => rows.get(section.key)).filter(Boolean);
  }

  // Where the viewer is, in words that survive another content: the section's key, the title, and the places of both.
  function placeOfFocus() {
    const item = document.activeElement?.closest("[data-item]");
    if (!item || !element.contains(item)) return null;
    const rowElement = item.closest("[data-row]");
    return { item, key: rowElement.dataset.section, title: item.dataset.title, rowAt: [...track.children].indexOf(rowElement.closest(".row")), cardAt: itemsOf(rowElement).indexOf(item) };
  }

  function restoreFocus(place) {
    if (!place) return focusItem(entry());
    if (place.item.isConnected && !place.key) return focusItem(place.item);
    if (!place.key) return focusItem(entry());
    const ordered = orderedRows();
    const row = rows.get(place.key) ?? ordered[Math.min(place.rowAt, ordered.length - 1)];
    if (!row) return focusItem(entry());
    const items = itemsOf(row.cardTrack);
    const same = items.find((item) => item.dataset.title === place.title);
    // A card that is gone leaves the focus to the one that came in its place.
    focusItem(same ?? items[Math.min(rows.has(place.key) ? place.cardAt : 0, items.length - 1)]);
  }

  function entry() {
    return itemsOf(actions)[0] ?? rememberedItem(rowsOf(element)[1] ?? rowsOf(element)[0]);
  }

  function fail(error) {
    const retry = h("button", { class: "button is-primary", dataset: { item: "" }, onclick: load }, "Try again");
    actions.replaceChildren();
    billboard.words.replaceChildren(statement({ ...failureWords(error), actions: [retry] }));
    track.replaceChildren();
    element.dataset.state = "failed";
    if (app.isCurrent(screen)) focusItem(retry);
  }

  const screen = {
    element,
    start: load,
    entry,
    /** Back from elsewhere: what the viewer did there, or the time that went by, may have changed the page. */
    resume(left) {
      const isOutdated = seenChanges !== app.changes || Date.now() > page.expiresAt;
      seenChanges = app.changes;
      if (!page.isLoaded) return load();
      if (!isOutdated) return;
      if (left?.progress) page.putProgress(left), draw();
      take(page.catchUp());
    },
  };
  return screen;
}

function heroButton(sign, words, onclick, primary) {
  return h("button", { class: `button${primary ? " is-primary" : ""}`, dataset: { item: "" }, onclick }, icon(sign), words);
}

function nothingHere() {
  const kids = readSession()?.profile?.isKids;
  return statement({ sign: "list", heading: "Nothing here yet", text: kids ? "No titles for kids are available right now." : "No titles are available right now." });
}

function skeletonRows() {
  return [1, 2].map(() =>
    h("div", { class: "row", "aria-hidden": "true" }, h("span", { class: "skeleton skeleton-heading" }), h("div", { class: "row-track" }, [1, 2, 3, 4, 5].map(() => h("span", { class: "card skeleton" })))),
  );
}

/** A card's title with the background that goes with the card's picture: each viewer has their own. */
function pictured(card) {
  return { ...card.title, backdrop: card.artwork?.backdrop };
}
