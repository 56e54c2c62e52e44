// The phone's home: one big poster, then rows to push sideways; more rows come as one scrolls.

import { call } from "../../shared/api.js";
import { avatar, h, icon, picture, statement, wordmark } from "../../shared/elements.js";
import { readSession } from "../../shared/session.js";
import { nodes } from "../../shared/titles.js";
import { facts, failureWords, heroLine } from "../../shared/wording.js";
import { posterCard, wideCard } from "../cards.js";
import { device } from "../device.js";

export function homeView(app) {
  const rows = h("div", { class: "rows" });
  const hero = h("div", { class: "hero-slot" }, h("div", { class: "hero skeleton" }));
  const end = h("div", { class: "rows-end", "aria-hidden": "true" });
  const element = h("main", { class: "view home", "aria-label": "Home" }, header(app), hero, rows, end);
  let page = null;
  let loading = false;

  async function start() {
    if (!page) rows.replaceChildren(...skeletons());
    try {
      const { data, errors } = await call("phone/home", { device: device() });
      page = data.page;
      rows.replaceChildren();
      hero.replaceChildren();
      addSections(page);
      if (!rows.childElementCount && !hero.childElementCount) rows.replaceChildren(statement({ sign: "list", heading: "Nothing here yet", text: "No titles are available right now." }));
      if (errors.length) app.toast("Some parts of this page could not be loaded.");
      element.dataset.state = "ready";
    } catch (error) {
      if (error.kind === "signed-out") return;
      hero.replaceChildren();
      rows.replaceChildren(statement({ ...failureWords(error), actions: [h("button", { class: "button is-primary", onclick: start }, "Try again")] }));
      element.dataset.state = "failed";
    }
  }

  function addSections(answer) {
    for (const section of nodes(answer.sections)) {
      const cards = nodes(section.items).filter((card) => card.title);
      if (!cards.length) continue;
      if (section.__typename === "HeroSection") hero.replaceChildren(heroCard(section, cards[0]));
      else rows.append(row(section, cards));
    }
  }

  function row(section, cards) {
    const wide = section.layout?.artworkRole !== "POSTER";
    const items = cards.map((card) => {
      const open = () => app.openTitle(card.series?.id ?? card.title.id);
      return wide ? wideCard(card.title, card.artwork, card.series, open) : posterCard(card.title, card.artwork, open, card.series);
    });
    const width = section.layout ? `${section.layout.cardWidthPx}px` : null;
    return h("section", { class: `row is-${section.kind.toLowerCase()}`, style: { "--card-width": width }, "aria-label": section.heading }, h("h2", {}, section.heading), h("div", { class: "row-track" }, items));
  }

  function heroCard(section, card) {
    const { title } = card;
    const plays = title.mediaStatus === "READY" && title.kind !== "SERIES";
    const play = plays ? h("button", { class: "button is-primary", onclick: () => app.play(title.id) }, icon("play"), title.progress?.fraction > 0 ? "Resume" : "Play") : null;
    const details = h("button", { class: `button${plays ? "" : " is-primary"}`, onclick: () => app.openTitle(title.id) }, icon("info"), "Details");
    return h(
      "section",
      { class: "hero", style: { "--glow": card.artwork?.placeholderColor }, "aria-label": section.heading },
      h("p", { class: "hero-reason" }, heroLine(section)),
      // The poster carries the name; the heading is there for those who listen, and for a title without a poster.
      h("button", { class: "hero-open", "aria-label": `${title.displayName}, details`, onclick: () => app.openTitle(title.id) }, picture(card.artwork, "hero-picture", { eager: true })),
      h(
        "div",
        { class: "hero-words" },
        h("h1", { class: card.artwork ? "visually-hidden" : null }, title.displayName),
        h("p", { class: "facts" }, facts(title).map((fact) => h("span", {}, String(fact)))),
        h("div", { class: "hero-actions" }, play, details),
      ),
    );
  }

  async function more() {
    if (loading || !page?.sections.pageInfo.hasNextPage) return;
    loading = true;
    try {
      const { data } = await call("phone/home", { device: device(), after: page.sections.pageInfo.endCursor });
      const same = data.page.revision === page.revision;
      page.sections.pageInfo = same ? data.page.sections.pageInfo : { hasNextPage: false };
      if (same) addSections(data.page);
    } catch {
      // What is there stays; scrolling again asks again.
    } finally {
      loading = false;
    }
  }

  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && more(), { rootMargin: "600px" }).observe(end);
  return { element, start };
}

function header(app) {
  const profile = readSession()?.profile;
  return h(
    "header",
    { class: "app-header" },
    wordmark(),
    profile?.isKids ? h("span", { class: "kids-badge" }, "Kids") : null,
    h("button", { class: "who", "aria-label": `${profile?.name ?? "Profile"}. Change profile`, onclick: () => app.goProfiles() }, profile ? avatar(profile) : null),
  );
}

function skeletons() {
  return [1, 2].map(() => h("div", { class: "row", "aria-hidden": "true" }, h("h2", { class: "skeleton skeleton-line" }), h("div", { class: "row-track" }, [1, 2, 3, 4].map(() => h("span", { class: "card poster skeleton" })))));
}
