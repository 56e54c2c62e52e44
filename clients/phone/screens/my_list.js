// The profile's own list, newest first.

import { h, statement } from "../../shared/elements.js";
import { loadMyList } from "../../shared/titles.js";
import { failureWords } from "../../shared/wording.js";
import { posterCard } from "../cards.js";

const MAX_TITLES = 50;

export function myListView(app) {
  const body = h("div", { class: "list-body" }, h("div", { class: "poster-grid" }, [1, 2, 3, 4, 5, 6].map(() => h("span", { class: "card poster skeleton" }))));
  const element = h("main", { class: "view my-list", "aria-label": "My List" }, h("h1", { class: "page-name" }, "My List"), body);

  async function start() {
    try {
      const titles = await loadMyList({ first: MAX_TITLES });
      body.replaceChildren(
        titles.length
          ? h("div", { class: "poster-grid" }, titles.map((title) => posterCard(title, title.poster, () => app.openTitle(title.id))))
          : statement({ sign: "list", heading: "Your list is empty", text: "Open a title and touch My List to keep it here." }),
      );
    } catch (error) {
      if (error.kind === "signed-out") return;
      body.replaceChildren(statement({ ...failureWords(error), actions: [h("button", { class: "button is-primary", onclick: start }, "Try again")] }));
    }
  }

  return { element, start };
}
