// The profile's own list, newest first.

import { h, statement } from "../../shared/elements.js";
import { loadMyList } from "../../shared/titles.js";
import { failureWords } from "../../shared/wording.js";
import { focusItem, rememberedItem, rowsOf } from "../focus.js";
import { followGrid, titleGrid } from "../title_grid.js";
import { topBar } from "../top_bar.js";
import { detailsScreen } from "./details.js";

const MAX_TITLES = 50;

export function myListScreen(app) {
  const track = h("div", { class: "grid-track" }, h("span", { class: "spinner", role: "progressbar", "aria-label": "Loading" }));
  const grid = h("div", { class: "grid" }, track);
  const element = h("section", { class: "screen my-list", "aria-label": "My List" }, topBar(app, "MY_LIST"), h("h1", { class: "page-name" }, "My List"), grid);
  followGrid(grid, track);
  let seenChanges = 0;

  async function load() {
    seenChanges = app.changes;
    try {
      const titles = await loadMyList({ first: MAX_TITLES });
      track.replaceChildren(...(titles.length ? titleGrid(titles, (title) => app.open(detailsScreen(app, title.id, title))) : [empty()]));
    } catch (error) {
      if (error.kind === "signed-out") return;
      const retry = h("button", { class: "button is-primary", dataset: { item: "" }, onclick: load }, "Try again");
      track.replaceChildren(statement({ ...failureWords(error), actions: [retry] }));
    }
    if (app.isCurrent(screen)) focusItem(rememberedItem(rowsOf(element)[1] ?? rowsOf(element)[0]));
  }

  const screen = {
    element,
    start: load,
    resume() {
      if (seenChanges !== app.changes) load();
    },
  };
  return screen;
}

function empty() {
  return statement({ sign: "list", heading: "Your list is empty", text: "Open a title and choose My List to keep it here." });
}
