// A browsing page: the hero, then rows. The server decides what they are and in which order; this page only draws the
// kinds that it told the server it can draw.

import { call } from "../../shared/api.js";
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

export function homeScreen(app, kind = "HOME") {
  const billboard = createBillboard();
  const actions = h("div", { class: "hero-actions", dataset: { row: "hero" } });
  const track = h("div", { class: "rows-track" }, skeletonRows());
  const element = h(
    "section",
    { class: "screen home is-at-hero", "aria-label": kind === "HOME" ? "Home" : kind === "MOVIES" ? "Films" : "Series" },
    billboard.backdrop,
    topBar(app, kind),
    h("div", { class: "billboard" }, billboard.words, actions),
    h("div", { class: "rows" }, track),
  );
  const page = { kind, hero: null, revision: null, endCursor: null, hasNext: false, lastCursor: null, loading: false, expiresAt: 0 };
  const rows = new Map();

  async function load() {
    try {
      const { data, errors } = await call("tv/home", { kind, device: DEVICE });
      const focused = focusKey(element);
      draw(data.page);
      if (errors.length) app.toast("Some parts of this page could not be loaded.");
      restoreFocus(focused);
    } catch (error) {
      if (error.kind === "signed-out") return;
      fail(error);
    }
  }

  function draw(answer) {
    rows.clear();
    track.replaceChildren();
    page.lastCursor = null;
    page.hero = null;
    page.expiresAt = Date.parse(answer.expiresAt) || Infinity;
    addSections(answer);
    element.classList.toggle("has-no-hero", !page.hero);
    drawHero();
    if (!rows.size && !page.hero) track.replaceChildren(nothingHere());
    element.dataset.state = "ready";
  }

  function addSections(answer) {
    page.revision = answer.revision;
    for (const edge of answer.sections.edges ?? []) {
      if (!edge?.node) continue;
      addSection(edge.node, page.lastCursor);
      page.lastCursor = edge.cursor;
    }
    page.endCursor = answer.sections.pageInfo.endCursor;
    page.hasNext = answer.sections.pageInfo.hasNextPage;
  }

  function addSection(section, cursorBefore) {
    const cards = nodes(section.items).filter((card) => card.title);
    if (!cards.length || rows.has(section.id)) return;
    if (section.__typename === "HeroSection") {
      const logo = nodes(section.hero)[0]?.title?.logo;
      page.hero = { title: { ...cards[0].title, logo }, reason: heroLine(section) };
      return;
    }
    const row = createRow(section, { kind, cursorBefore, open });
    rows.set(section.id, row);
    row.add(cards);
    track.append(row.element);
  }

  function open(card) {
    app.open(detailsScreen(app, card.series?.id ?? card.title.series?.id ?? card.title.id, card.title));
  }

  function drawHero() {
    actions.replaceChildren();
    if (!page.hero) {
      const first = rows.values().next().value?.titles.values().next().value;
      if (first) billboard.show(first.title);
      return;
    }
    const { title, reason } = page.hero;
    billboard.show(title, reason);
    const plays = title.mediaStatus === "READY" && title.kind !== "SERIES";
    const words = title.progress?.positionSeconds > 0 ? "Resume" : "Play";
    if (plays) actions.append(heroButton("play", words, () => app.open(playerScreen(app, title.id)), true));
    actions.append(heroButton("info", "Details", () => details(title), !plays));
  }

  function details(title) {
    app.open(detailsScreen(app, title.id, title));
  }

  async function loadMoreRows() {
    if (page.loading || !page.hasNext) return;
    page.loading = true;
    try {
      const { data } = await call("tv/home", { kind, device: DEVICE, after: page.endCursor });
      // Another revision means other cursors: the rows on screen stay, the next visit brings the new page.
      if (data.page.revision === page.revision) addSections(data.page);
      else page.hasNext = false;
    } catch {
      page.hasNext = false;
    } finally {
      page.loading = false;
    }
  }

  element.addEventListener("itemfocus", ({ detail: { row: rowElement, item } }) => {
    const row = rows.get(rowElement.dataset.section);
    element.classList.toggle("is-at-hero", !row && Boolean(page.hero));
    for (const other of rows.values()) other.element.classList.remove("is-current", "is-passed");
    if (!row) {
      track.style.translate = "0 0";
      if (page.hero) billboard.showSoon(page.hero.title, page.hero.reason);
      return;
    }
    const ordered = [...rows.values()];
    const index = ordered.indexOf(row);
    ordered.slice(0, index).forEach((passed) => passed.element.classList.add("is-passed"));
    row.element.classList.add("is-current");
    track.style.translate = `0 ${-row.element.offsetTop}px`;
    slideTo(row.cardTrack, item, row.element.clientWidth);
    billboard.showSoon(row.titles.get(item.dataset.title).title, row.section.reason?.text);
    if (index >= ordered.length - 1 - ROWS_AHEAD) loadMoreRows();
    const items = itemsOf(rowElement);
    if (items.indexOf(item) >= items.length - CARDS_AHEAD) row.loadMore(page.revision);
  });

  function restoreFocus(key) {
    if (!app.isCurrent(screen)) return;
    const row = key && rows.get(key.section);
    const item = row && (itemsOf(row.cardTrack).find((candidate) => candidate.dataset.title === key.title) ?? itemsOf(row.cardTrack)[0]);
    focusItem(item ?? entry());
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
    /** Back from a film: progress and My List may have changed. */
    resume() {
      if (app.changed || Date.now() > page.expiresAt) load();
      app.changed = false;
    },
  };
  return screen;
}

function heroButton(sign, words, onclick, primary) {
  return h("button", { class: `button${primary ? " is-primary" : ""}`, dataset: { item: "" }, onclick }, icon(sign), words);
}

function focusKey(element) {
  const item = document.activeElement?.closest("[data-title]");
  const section = item?.closest("[data-section]")?.dataset.section;
  return section && element.contains(item) ? { section, title: item.dataset.title } : null;
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
