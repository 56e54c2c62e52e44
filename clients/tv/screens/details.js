// A title's own screen: what it is, what can be done with it, its episodes, and titles like it.

import { h, icon, statement } from "../../shared/elements.js";
import { loadDetails, playableId, removeFromContinueWatching, setInMyList, setThumb } from "../../shared/titles.js";
import { clock, failureWords, PLAYING_UNKNOWN, refusalNotice, THUMBS } from "../../shared/wording.js";
import { createBillboard, titleWords } from "../billboard.js";
import { episodeRows, peopleRows, similarRows, trailerRows } from "../details_rows.js";
import { focusItem, itemsOf, rememberedItem, rowsOf, slideTo } from "../focus.js";
import { personScreen } from "./person.js";
import { playerScreen } from "./player.js";

const SIZES = { backdropWidthPx: 1920, thumbnailWidthPx: 416 };

/** preview: what the card already knew, shown while the rest is on its way. */
export function detailsScreen(app, id, preview = null) {
  const billboard = createBillboard();
  const actions = h("div", { class: "details-actions", dataset: { row: "actions" } });
  const notice = h("p", { class: "details-notice", role: "status" });
  const credits = h("div", { class: "credits" });
  const below = h("div", { class: "details-below" });
  const head = h("div", { class: "details-head" }, billboard.words, credits, notice, actions);
  const track = h("div", { class: "details-track" }, head, below);
  const element = h("section", { class: "screen details", "aria-label": preview?.displayName ?? "Title" }, billboard.backdrop, track);
  let title = null;
  let isDismissed = false;
  let seenChanges = 0;

  async function load() {
    seenChanges = app.changes;
    try {
      title = await loadDetails(id, { ...SIZES, withTrailers: true });
    } catch (error) {
      if (error.kind === "signed-out") return;
      return say(failureWords(error), h("button", { class: "button is-primary", dataset: { item: "" }, onclick: load }, "Try again"));
    }
    if (!title) return say({ heading: "This title is not here", text: "It may have left Marquee, or it is not for this profile." }, backButton());
    draw();
  }

  function say(words, button) {
    billboard.words.replaceChildren(statement({ ...words, actions: [button] }));
    actions.replaceChildren();
    if (app.isCurrent(screen)) focusItem(button);
  }

  function backButton() {
    return h("button", { class: "button is-primary", dataset: { item: "" }, onclick: () => app.back() }, "Go back");
  }

  function draw() {
    const held = focusName(element);
    element.setAttribute("aria-label", title.displayName);
    // The picture by which the viewer chose it stays.
    billboard.show(preview?.backdrop ? { ...title, backdrop: preview.backdrop } : title);
    billboard.words.replaceChildren(...titleWords(title));
    credits.replaceChildren(...creditLines(title));
    drawActions();
    below.replaceChildren(...episodeRows(title, play), ...trailerRows(title, play), ...peopleRows(title, openPerson), ...similarRows(title, open));
    element.dataset.state = "ready";
    if (app.isCurrent(screen)) restoreFocus(held);
  }

  function play(playable, options) {
    app.open(playerScreen(app, playable, options));
  }

  function open(other) {
    app.open(detailsScreen(app, other.id, other));
  }

  function openPerson(person) {
    app.open(personScreen(app, person));
  }

  function drawActions() {
    const known = title.inMyList != null;
    const isBegun = title.progress?.fraction > 0 && !title.progress.completed && !isDismissed;
    actions.replaceChildren(...playButtons(), ...(known ? [listButton(), ...thumbButtons()] : []), ...(isBegun ? [dismissButton()] : []));
  }

  function playButtons() {
    if (!title.canPlay) {
      notice.replaceChildren(icon("info"), ` ${PLAYING_UNKNOWN}`);
      return [actionButton("restart", "Try again", "again", load, true)];
    }
    const { allowed, refusal } = title.canPlay;
    if (!allowed) {
      notice.replaceChildren(icon("info"), ` ${refusalNotice(title, refusal)}`);
      return [];
    }
    notice.replaceChildren();
    const target = title.progress?.resumeTitle;
    const started = title.progress?.positionSeconds > 0 && !title.progress.completed;
    const episode = target?.season ? ` S${target.season.number} E${target.number}` : "";
    const words = started ? `Resume${episode || ` at ${clock(title.progress.positionSeconds)}`}` : `Play${title.kind === "SERIES" ? (episode || " S1 E1") : ""}`;
    const playButton = actionButton("play", words, "play", () => play(playableId(title)), true);
    if (!started) return [playButton];
    return [playButton, actionButton("restart", "From the start", "restart", () => play(playableId(title), { startOver: true }))];
  }

  function listButton() {
    const button = actionButton(title.inMyList ? "check" : "plus", title.inMyList ? "In My List" : "My List", "list", () =>
      change("list", async () => {
        title.inMyList = await setInMyList(title.id, !title.inMyList);
        return title.inMyList ? "Added to My List." : "Removed from My List.";
      }),
    );
    button.setAttribute("aria-pressed", String(title.inMyList));
    return button;
  }

  // Each gesture once more takes it back.
  function thumbButtons() {
    return THUMBS.map(({ thumb, icon: sign, words, given, toast }) => {
      const isGiven = title.thumb === thumb;
      const act = () =>
        change(thumb, async () => {
          title.thumb = await setThumb(title.id, isGiven ? null : thumb);
          return title.thumb ? toast : "Taken back.";
        });
      return signButton(sign, isGiven ? given : words, thumb, isGiven, act);
    });
  }

  function dismissButton() {
    return signButton("close", "Remove from Continue watching", "dismiss", false, () =>
      change("play", async () => {
        await removeFromContinueWatching(title.progress.resumeTitle?.id ?? title.id);
        isDismissed = true;
        return "Removed from Continue watching.";
      }),
    );
  }

  /** Does what the viewer asked for, says so, and leaves the focus on the action of that name. */
  async function change(name, act) {
    try {
      const said = await act();
      app.changes += 1;
      // What is shown here is up to date by this; the screens below are not.
      seenChanges = app.changes;
      app.toast(said);
      redrawActions(name);
    } catch (error) {
      app.toast(error.kind ? failureWords(error).heading : error.message);
    }
  }

  function redrawActions(name) {
    drawActions();
    focusItem(itemsOf(actions).find((item) => item.dataset.action === name));
  }

  element.addEventListener("itemfocus", ({ detail: { row, item } }) => {
    const section = row.closest(".row");
    if (row.classList.contains("row-track")) slideTo(row, item, section.clientWidth);
    element.classList.toggle("is-below-head", Boolean(section));
    // Rows come up under the words; the head slides away only as far as they need.
    const shift = section ? Math.max(0, below.offsetTop + section.offsetTop + section.offsetHeight - element.clientHeight * 0.95) : 0;
    track.style.translate = `0 ${-shift}px`;
  });

  function restoreFocus(held) {
    const item = held && [...element.querySelectorAll("[data-item]")].find((candidate) => focusNameOf(candidate) === held);
    focusItem(item ?? rememberedItem(rowsOf(element)[0]));
  }

  const screen = {
    element,
    start() {
      if (preview) {
        billboard.show(preview);
        actions.replaceChildren(h("span", { class: "skeleton skeleton-button" }), h("span", { class: "skeleton skeleton-button" }));
      } else {
        billboard.words.replaceChildren(h("span", { class: "spinner", role: "progressbar", "aria-label": "Loading" }));
      }
      return load();
    },
    /** Back from the film: where the viewer is has changed. */
    resume() {
      if (seenChanges !== app.changes) load();
    },
  };
  return screen;
}

function actionButton(sign, words, action, onclick, primary = false) {
  return h("button", { class: `button${primary ? " is-primary" : ""}`, dataset: { item: "", action }, onclick }, icon(sign), words);
}

function signButton(sign, words, action, isGiven, onclick) {
  return h("button", { class: "sign-button", dataset: { item: "", action }, "aria-label": words, "aria-pressed": String(isGiven), onclick }, icon(sign));
}

function creditLines(title) {
  const names = (people) => people.map((credit) => credit.person.displayName).join(", ");
  const line = (label, people) => (people?.length ? h("p", {}, h("span", { class: "credit-label" }, label), names(people)) : null);
  return [line("Directed by", title.directors), line("With", title.cast)].filter(Boolean);
}

function focusNameOf(item) {
  if (item.dataset.person) return `person ${item.dataset.person}`;
  return item.dataset.action ?? (item.dataset.title ? `title ${item.dataset.title}` : null);
}

function focusName(element) {
  const item = document.activeElement?.closest("[data-item]");
  return item && element.contains(item) ? focusNameOf(item) : null;
}
