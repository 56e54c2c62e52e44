// What a new profile likes: posters to touch, then home.

import { h, icon, picture, wordmark } from "../../shared/elements.js";
import { Picks } from "../../shared/onboarding.js";
import { count } from "../../shared/wording.js";

export function onboardingView(app, titles) {
  const picks = new Picks(app);
  const done = h("button", { class: "button is-primary is-full", onclick: () => picks.finish() });
  const skip = h("button", { class: "button is-quiet is-full", onclick: () => picks.finish({ skipped: true }) }, "Skip");
  const element = h(
    "main",
    { class: "view onboarding", "aria-label": "What do you like?" },
    wordmark(),
    h("h1", {}, "What do you like?"),
    h("p", { class: "lead" }, "Pick a few. Your first page begins with them."),
    h("div", { class: "poster-grid" }, titles.map(card)),
    h("div", { class: "onboarding-actions" }, done, skip),
  );

  function card(title) {
    const button = h(
      "button",
      { class: "card poster pick", dataset: { title: title.id }, "aria-label": title.displayName, "aria-pressed": "false", onclick: () => toggle(title, button) },
      h("span", { class: "poster-frame" }, picture(title.poster, "poster-picture", { eager: true }), title.poster ? null : h("span", { class: "poster-name" }, title.displayName), h("span", { class: "pick-sign", "aria-hidden": "true" }, icon("check"))),
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
    done.textContent = `Continue with ${count(picked, "title")}`;
  }

  draw();
  return { element, start() {} };
}
