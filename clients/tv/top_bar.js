// The line at the top of every browsing screen: the sign, where one can go, who is watching.

import { avatar, h, icon, wordmark } from "../shared/elements.js";
import { readSession } from "../shared/session.js";
import { homeScreen } from "./screens/home.js";
import { myListScreen } from "./screens/my_list.js";
import { searchScreen } from "./screens/search.js";

const PLACES = [
  { key: "HOME", words: "Home", screen: (app) => homeScreen(app, "HOME") },
  { key: "MOVIES", words: "Films", screen: (app) => homeScreen(app, "MOVIES") },
  { key: "SERIES", words: "Series", screen: (app) => homeScreen(app, "SERIES") },
  { key: "MY_LIST", words: "My List", screen: myListScreen },
  { key: "SEARCH", words: "Search", sign: "search", screen: searchScreen },
];

/** current: the key of the place that is shown; here: the name of a page that is none of the places, as a genre's. */
export function topBar(app, current, here = null) {
  const profile = readSession()?.profile;
  const places = PLACES.map((place) =>
    h(
      "button",
      {
        class: "place",
        dataset: { item: "", place: place.key },
        "aria-current": place.key === current ? "page" : null,
        onclick: () => place.key !== current && app.reset(place.screen(app)),
      },
      place.sign ? icon(place.sign) : null,
      place.words,
    ),
  );
  const who = h(
    "button",
    { class: "place who", dataset: { item: "" }, "aria-label": `${profile?.name ?? "No profile"}. Change profile`, onclick: () => app.goProfiles() },
    profile?.isKids ? h("span", { class: "kids-badge" }, "Kids") : null,
    profile ? h("span", { class: "who-name" }, profile.name) : null,
    profile ? avatar(profile) : null,
  );
  return h("nav", { class: "top-bar", dataset: { row: "places" }, "aria-label": "Marquee" }, wordmark(), places, here ? h("h1", { class: "place is-here", "aria-current": "page" }, here) : null, who);
}
