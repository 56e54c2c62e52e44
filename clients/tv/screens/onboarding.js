// What a new profile likes: posters to pick with the remote control, then home. Skipping is one press away.

import { h, icon, picture } from "../../shared/elements.js";
import { Picks } from "../../shared/onboarding.js";
import { readSession } from "../../shared/session.js";
import { count } from "../../shared/wording.js";
import { followGrid } from "../title_grid.js";
import { focusItem } from "../focus.js";

const COLUMNS = 7;

export function onboardingScreen(app, titles) {
  const picks = new Picks(app);
  const done = h("button", { class: "button is-primary", dataset: { item: "", action: "done" }, onclick: () => picks.finish() });
  const skip = h("button", { class: "button is-quiet", dataset: { item: "", action: "skip" }, onclick: () => picks.finish({ skipped: true }) }, "Skip");
  const cards = titles.map(card);
  const rows = [];
  for (let start = 0; start < cards.length; start += COLUMNS) rows.push(h("div", { class: "grid-row", dataset: { row: "grid" } }, cards.slice(start, start + COLUMNS)));
  const track = h("div", { class: "grid-track" }, rows);
  const grid = h("div", { class: "grid" }, track);
  const name = readSession()?.profile?.name;
  const element = h(
    "section",
    { class: "screen onboarding", "aria-label": "What do you like?" },
    h(
      "header",
      { class: "onboarding-head" },
      h("div", {}, h("h1", {}, name ? `What do you like, ${name}?` : "What do you like?"), h("p", {}, "Pick a few. Your first page begins with them.")),
      h("div", { class: "onboarding-actions", dataset: { row: "actions" } }, done, skip),
    ),
    grid,
  );
  followGrid(grid, track);

  function card(title) {
    const button = h(
      "button",
      { class: "card pick", dataset: { item: "", title: title.id }, "aria-label": title.displayName, "aria-pressed": "false", onclick: () => toggle(title, button) },
      picture(title.poster, "card-picture", { eager: true }),
      title.poster ? null : h("span", { class: "card-words" }, h("span", { class: "card-name" }, title.displayName)),
      h("span", { class: "pick-sign", "aria-hidden": "true" }, icon("check")),
    );
    return button;
  }

  function toggle(title, button) {
    picks.toggle(title.id);
    button.setAttribute("aria-pressed", String(picks.has(title.id)));
    draw();
  }

  function draw() {
    const picked = picks.ids.length;
    done.hidden = !picked;
    done.replaceChildren(picked ? `Continue with ${count(picked, "title")}` : "");
  }

  draw();
  return { element, start: () => focusItem(cards[0]) };
}
