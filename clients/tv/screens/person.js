// Somebody of the credits: what this viewer may see of their work.

import { call } from "../../shared/api.js";
import { h, statement } from "../../shared/elements.js";
import { nodes } from "../../shared/titles.js";
import { failureWords } from "../../shared/wording.js";
import { focusItem, rememberedItem, rowsOf } from "../focus.js";
import { followGrid, titleGrid } from "../title_grid.js";
import { detailsScreen } from "./details.js";

/** person: {id, displayName}, as a credit has it. */
export function personScreen(app, person) {
  const track = h("div", { class: "grid-track" }, h("span", { class: "spinner", role: "progressbar", "aria-label": "Loading" }));
  const grid = h("div", { class: "grid" }, track);
  const element = h("section", { class: "screen person-page", "aria-label": person.displayName }, h("h1", { class: "page-name" }, person.displayName), grid);
  followGrid(grid, track);

  async function load() {
    try {
      const { data, errors } = await call("tv/person", { id: person.id });
      if (!data.person && errors.length) throw Object.assign(new Error("The person could not be loaded."), { kind: "failed" });
      const titles = nodes(data.person?.titles);
      track.replaceChildren(...(titles.length ? titleGrid(titles, (title) => app.open(detailsScreen(app, title.id, title))) : [nothing()]));
    } catch (error) {
      if (error.kind === "signed-out") return;
      const retry = h("button", { class: "button is-primary", dataset: { item: "" }, onclick: load }, "Try again");
      track.replaceChildren(statement({ ...failureWords(error), actions: [retry] }));
    }
    if (app.isCurrent(screen)) focusItem(rememberedItem(rowsOf(element)[0]));
  }

  function nothing() {
    const back = h("button", { class: "button is-primary", dataset: { item: "" }, onclick: () => app.back() }, "Go back");
    return statement({ sign: "list", heading: "Nothing to see here", text: `No title with ${person.displayName} is here for this profile.`, actions: [back] });
  }

  const screen = { element, start: load };
  return screen;
}
