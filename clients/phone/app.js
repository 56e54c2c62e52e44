// The phone page: tabs below, details as a sheet above them, the player above all. The address says what is shown
// (#/, #/search, #/list, #/films, #/series, #/genre/ID/NAME, #/title/ID, #/play/ID), so the phone's own Back goes one step back.

import { loadViewer } from "../shared/account.js";
import { decoded } from "../shared/address.js";
import { h, icon, statement } from "../shared/elements.js";
import { introductions } from "../shared/onboarding.js";
import { readSession, sessionEvents } from "../shared/session.js";
import { failureWords } from "../shared/wording.js";
import { detailsSheet } from "./screens/details.js";
import { homeView } from "./screens/home.js";
import { myListView } from "./screens/my_list.js";
import { onboardingView } from "./screens/onboarding.js";
import { playerSheet } from "./screens/player.js";
import { profilesView } from "./screens/profiles.js";
import { searchView } from "./screens/search.js";
import { signInView } from "./screens/sign_in.js";

const views = document.getElementById("views");
const sheets = document.getElementById("sheets");
const toastLine = document.getElementById("toast");

const TABS = [
  { key: "home", hash: "#/", words: "Home", sign: "home", view: homeView },
  { key: "search", hash: "#/search", words: "Search", sign: "search", view: searchView },
  { key: "list", hash: "#/list", words: "My List", sign: "list", view: myListView },
];

/** What every screen gets to reach the others. */
export const app = {
  /** Counts what the viewer did that tabs show: each of them knows up to which number it has seen. */
  changes: 0,
  /** The end of the film that was left last: resolves to the title and where it stands, or to nothing. */
  leaving: Promise.resolve(),

  go(hash) {
    location.hash = hash;
  },
  openGenre: ({ id, displayName }) => app.go(`#/genre/${encodeURIComponent(id)}/${encodeURIComponent(displayName)}`),
  openTitle: (id) => app.go(`#/title/${encodeURIComponent(id)}`),
  play: (id, { startOver = false } = {}) => app.go(`#/play/${encodeURIComponent(id)}${startOver ? "/start" : ""}`),

  /** The next film in the place of this one: Back does not go through every episode. */
  playInstead: (id) => location.replace(`#/play/${encodeURIComponent(id)}`),

  back() {
    if (history.length > 1) history.back();
    else app.go("#/");
  },
  toast(text) {
    toastLine.textContent = text;
    toastLine.classList.add("is-shown");
    clearTimeout(app.toastTimer);
    app.toastTimer = setTimeout(() => toastLine.classList.remove("is-shown"), 4000);
  },

  goSignIn(sentence) {
    showAlone(signInView(app, sentence));
  },
  goProfiles() {
    showAlone(profilesView(app));
  },
  /** After a profile was chosen: a new one is asked what it likes first. */
  async enter() {
    const titles = await introductions({ posterWidthPx: 342 });
    if (!titles) return app.showHome();
    showAlone(onboardingView(app, titles));
    document.documentElement.dataset.kids = String(Boolean(readSession()?.profile?.isKids));
  },
  /** Home, everything anew. */
  showHome() {
    document.documentElement.dataset.kids = String(Boolean(readSession()?.profile?.isKids));
    tabViews.clear();
    closeSheet();
    current = null;
    if (location.hash !== "#/" && location.hash !== "") location.hash = "#/";
    route();
  },
};

// Pages that are shown in the place of a tab.
const KINDS = { films: { kind: "MOVIES", name: "Films" }, series: { kind: "SERIES", name: "Series" } };

function pageOf(place, id, name) {
  const wish = place === "genre" && id ? { kind: "GENRE", genreId: decoded(id), name: decoded(name ?? "") } : KINDS[place];
  return wish && { key: `${wish.kind} ${wish.genreId}`, view: () => homeView(app, wish) };
}

// The tabs' views, and that of the page that was shown last in the place of one.
const tabViews = new Map();
let current = null;
let sheet = null;

const tabBar = h(
  "nav",
  { class: "tab-bar", "aria-label": "Marquee" },
  TABS.map((tab) => h("a", { href: tab.hash, dataset: { tab: tab.key } }, icon(tab.sign), h("span", {}, tab.words))),
);

function showAlone(view) {
  document.documentElement.dataset.kids = "false";
  closeSheet();
  current = null;
  views.replaceChildren(view.element);
  view.start();
}

function showTab(tab) {
  if (!tabViews.has(tab.key)) {
    for (const key of tabViews.keys()) if (!TABS.some((one) => one.key === key)) tabViews.delete(key);
    tabViews.set(tab.key, tab.view(app));
  }
  const view = tabViews.get(tab.key);
  for (const link of tabBar.children) {
    if (link.dataset.tab === tab.key) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (current !== view) views.replaceChildren(view.element, tabBar);
  current = view;
  // A view that was taken out of the page has lost its place.
  view.element.scrollTop = view.scrollTop ?? 0;
  if (!view.started) {
    view.started = true;
    view.seenChanges = app.changes;
    view.start();
  } else if (view.seenChanges !== app.changes || view.isOutdated?.()) {
    view.seenChanges = app.changes;
    afterLeaving().then((left) => (view.refresh ? view.refresh(left) : view.start()));
  }
}

// A film that was just left says where it ended; what is loaded next should know it, but not wait for long. Resolves as
// app.leaving does, or to nothing when it takes too long.
function afterLeaving() {
  return Promise.race([app.leaving, new Promise((resolve) => setTimeout(resolve, 1500))]);
}

function keepPlace() {
  if (current) current.scrollTop = current.element.scrollTop;
}

function openSheet(next) {
  closeSheet();
  sheet = next;
  if (current) current.element.inert = true;
  tabBar.inert = true;
  sheets.replaceChildren(next.element);
  // One stream ends before the next begins: a plan may allow only one.
  afterLeaving().then(() => sheet === next && next.start());
}

function closeSheet() {
  sheet?.leave?.();
  sheet = null;
  sheets.replaceChildren();
  if (current) current.element.inert = false;
  tabBar.inert = false;
}

/** Shows what the address says. */
function route() {
  const session = readSession();
  if (!session) return app.goSignIn();
  if (!session.profile) return app.goProfiles();
  keepPlace();
  const [, place, id, how] = location.hash.split("/");
  if ((place === "title" || place === "play") && id) {
    if (!current) showTab(TABS[0]);
    const titleId = decoded(id);
    return openSheet(place === "play" ? playerSheet(app, titleId, { startOver: how === "start" }) : detailsSheet(app, titleId));
  }
  closeSheet();
  showTab(pageOf(place, id, how) ?? TABS.find((tab) => tab.key === place) ?? TABS[0]);
}

async function begin() {
  const session = readSession();
  document.documentElement.dataset.kids = String(Boolean(session?.profile?.isKids));
  if (!session || session.profile) return route();
  try {
    return (await loadViewer()) ? app.goProfiles() : app.goSignIn();
  } catch (error) {
    if (error.kind === "signed-out") return app.goSignIn();
    const retry = h("button", { class: "button is-primary", onclick: begin }, "Try again");
    views.replaceChildren(h("div", { class: "view is-centred" }, statement({ ...failureWords(error), actions: [retry] })));
  }
}

addEventListener("hashchange", route);
sessionEvents.addEventListener("ended", () => app.goSignIn("You have been signed out. Sign in again to go on where you stopped."));
begin();
