// The phone's browsing pages: one big poster, then rows to push sideways; more rows come as one scrolls. What changes
// on the page is taken over in place, and what the viewer looks at stays under the eye.

import { HeldPage } from "../../shared/held_page.js";
import { cardOpened, watchCard } from "../../shared/interactions.js";
import { avatar, h, icon, picture, statement, wordmark } from "../../shared/elements.js";
import { readSession } from "../../shared/session.js";
import { nodes } from "../../shared/titles.js";
import { facts, failureWords, heroLine } from "../../shared/wording.js";
import { createRow } from "../browse_row.js";
import { device } from "../device.js";

const AHEAD_PX = 600;

/** kind: HOME | MOVIES | SERIES | GENRE, the last with genreId; name: what stands at the top of all but home. */
export function homeView(app, { kind = "HOME", genreId = null, name = null } = {}) {
  const page = new HeldPage("phone", () => ({ kind, device: device(), genreId }));
  const drawnRows = new Map();
  const rows = h("div", { class: "rows" });
  const hero = h("div", { class: "hero-slot" }, h("div", { class: "hero skeleton" }));
  const end = h("div", { class: "rows-end", "aria-hidden": "true" });
  const element = h("main", { class: "view home", dataset: { kind }, "aria-label": name ?? "Home" }, header(app, name), hero, rows, end);
  let heroContent = null;

  async function start() {
    if (!page.isLoaded) rows.replaceChildren(...skeletons());
    try {
      const errors = await page.load();
      draw();
      if (errors.length) app.toast("Some parts of this page could not be loaded.");
    } catch (error) {
      if (error.kind === "signed-out") return;
      hero.replaceChildren();
      rows.replaceChildren(statement({ ...failureWords(error), actions: [h("button", { class: "button is-primary", onclick: start }, "Try again")] }));
      element.dataset.state = "failed";
    }
  }

  /** left: the film that was left before, as app.leaving says. */
  function refresh(left) {
    if (!page.isLoaded) return start();
    if (left?.progress) page.putProgress(left), draw();
    return take(page.catchUp());
  }

  /** Asks for more; what is there stays when that fails, and coming near the end again asks again. */
  async function take(asked) {
    try {
      if (await asked) draw();
    } catch (error) {
      console.warn("page:", error.message);
    }
  }

  function draw() {
    const eye = underTheEye();
    const sections = page.sections.filter((section) => nodes(section.items).some((card) => card.title));
    drawHero(sections.find((section) => section.__typename === "HeroSection"));
    drawRows(sections.filter((section) => section.__typename !== "HeroSection"));
    if (!sections.length) rows.replaceChildren(statement({ sign: "list", heading: "Nothing here yet", text: "No titles are available right now." }));
    element.dataset.state = "ready";
    if (eye?.row.isConnected) element.scrollTop += eye.row.getBoundingClientRect().top - eye.top;
    if (end.getBoundingClientRect().top < innerHeight + AHEAD_PX) take(page.loadMore());
  }

  // The first row in sight, and where it stands; nothing at the top of the page, which is to show what is new there.
  function underTheEye() {
    if (element.scrollTop < 40) return null;
    const row = [...rows.children].find((one) => one.getBoundingClientRect().bottom > 60);
    return row && { row, top: row.getBoundingClientRect().top };
  }

  function drawRows(sections) {
    const keys = new Set(sections.map((section) => section.key));
    for (const key of [...drawnRows.keys()]) if (!keys.has(key)) drawnRows.delete(key);
    const kept = new Set([...drawnRows.values()].map((row) => row.element));
    for (const child of [...rows.children]) if (!kept.has(child)) child.remove();
    sections.forEach((section, place) => {
      if (!drawnRows.has(section.key)) drawnRows.set(section.key, createRow(section, { open: app.openTitle, more: (one) => take(page.loadCards(one)) }));
      const row = drawnRows.get(section.key);
      row.update(section);
      if (rows.children[place] !== row.element) row.placeBefore(rows, rows.children[place] ?? null);
    });
  }

  function drawHero(section) {
    const card = section && nodes(section.items).find((one) => one.title);
    const content = JSON.stringify(card ?? null);
    if (content === heroContent) return;
    heroContent = content;
    hero.replaceChildren(...(card ? [heroCard(section, card)] : []));
  }

  function heroCard(section, card) {
    const { title } = card;
    const plays = title.mediaStatus === "READY" && title.kind !== "SERIES";
    const opened = (act) => () => (cardOpened(card), act(title.id));
    const play = plays ? h("button", { class: "button is-primary", onclick: opened(app.play) }, icon("play"), title.progress?.fraction > 0 ? "Resume" : "Play") : null;
    const details = h("button", { class: `button${plays ? "" : " is-primary"}`, onclick: opened(app.openTitle) }, icon("info"), "Details");
    const poster = h("button", { class: "hero-open", "aria-label": `${title.displayName}, details`, onclick: opened(app.openTitle) }, picture(card.artwork, "hero-picture", { eager: true }));
    watchCard(poster, card);
    return h(
      "section",
      { class: "hero", style: { "--glow": card.artwork?.placeholderColor }, "aria-label": section.heading },
      h("p", { class: "hero-reason" }, heroLine(section)),
      // The poster carries the name; the heading is there for those who listen, and for a title without a poster.
      poster,
      h(
        "div",
        { class: "hero-words" },
        h("h1", { class: card.artwork ? "visually-hidden" : null }, title.displayName),
        h("p", { class: "facts" }, facts(title).map((fact) => h("span", {}, String(fact)))),
        h("div", { class: "hero-actions" }, play, details),
      ),
    );
  }

  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && page.isLoaded && take(page.loadMore()), { rootMargin: `${AHEAD_PX}px` }).observe(end);
  return { element, start, refresh, isOutdated: () => Date.now() > page.expiresAt };
}

function header(app, name) {
  const profile = readSession()?.profile;
  return h(
    "header",
    { class: "app-header" },
    name ? [h("button", { class: "header-back", "aria-label": "Back", onclick: () => app.back() }, icon("back")), h("h1", {}, name)] : wordmark(),
    profile?.isKids ? h("span", { class: "kids-badge" }, "Kids") : null,
    name ? null : h("nav", { class: "header-kinds", "aria-label": "Kinds" }, h("a", { href: "#/films" }, "Films"), h("a", { href: "#/series" }, "Series")),
    h("button", { class: "who", "aria-label": `${profile?.name ?? "Profile"}. Change profile`, onclick: () => app.goProfiles() }, profile ? avatar(profile) : null),
  );
}

function skeletons() {
  return [1, 2].map(() => h("div", { class: "row", "aria-hidden": "true" }, h("h2", { class: "skeleton skeleton-line" }), h("div", { class: "row-track" }, [1, 2, 3, 4].map(() => h("span", { class: "card poster skeleton" })))));
}
