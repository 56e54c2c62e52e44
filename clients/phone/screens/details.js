// A title's sheet: it comes up from below and goes down again.

import { h, icon, picture, statement } from "../../shared/elements.js";
import { loadDetails, nodes, playableId, removeFromContinueWatching, setInMyList, setThumb } from "../../shared/titles.js";
import { clock, facts, failureWords, matchText, PLAYING_UNKNOWN, refusalNotice, THUMBS } from "../../shared/wording.js";
import { episodeItem, posterCard } from "../cards.js";

const SIZES = { backdropWidthPx: 1280, thumbnailWidthPx: 416, posterWidthPx: 342, similar: 9 };

export function detailsSheet(app, id) {
  const close = h("button", { class: "sheet-close", "aria-label": "Close", onclick: () => app.back() }, icon("close"));
  const body = h("div", { class: "sheet-body" }, h("div", { class: "sheet-picture skeleton" }), h("div", { class: "sheet-words" }, h("span", { class: "skeleton skeleton-line" }), h("span", { class: "skeleton skeleton-line" })));
  const element = h("section", { class: "sheet details", role: "dialog", "aria-modal": "true", "aria-label": "Title" }, close, body);
  let title = null;
  let isDismissed = false;

  async function start() {
    close.focus({ preventScroll: true });
    try {
      title = await loadDetails(id, SIZES);
    } catch (error) {
      if (error.kind !== "signed-out") say(failureWords(error), "Try again", start);
      return;
    }
    if (title) draw();
    else say({ heading: "This title is not here", text: "It may have left Marquee, or it is not for this profile." }, "Go back", () => app.back());
  }

  function say(words, action, onclick) {
    body.replaceChildren(h("div", { class: "sheet-words" }, statement({ ...words, actions: [h("button", { class: "button is-primary", onclick }, action)] })));
  }

  function draw() {
    element.setAttribute("aria-label", title.displayName);
    const match = matchText(title.match);
    body.replaceChildren(
      picture(title.backdrop, "sheet-picture", { eager: true }),
      h(
        "div",
        { class: "sheet-words" },
        title.series ? h("p", { class: "hero-reason" }, title.series.displayName) : null,
        h("h1", {}, title.displayName),
        h("p", { class: "facts" }, match ? h("span", { class: "match" }, match) : null, title.certificate?.code ? h("span", { class: "chip" }, title.certificate.code) : null, facts(title).map((fact) => h("span", {}, String(fact)))),
        playArea(),
        h("p", { class: "synopsis" }, title.synopsis),
        credits("Directed by", title.directors),
        credits("With", title.cast),
        title.inMyList == null ? null : actions(),
      ),
      episodes() ?? "",
      similar() ?? "",
    );
    element.dataset.state = "ready";
  }

  function playArea() {
    if (!title.canPlay) {
      return h("div", { class: "play-area" }, h("p", { class: "notice", role: "status" }, icon("info"), h("span", {}, PLAYING_UNKNOWN)), h("button", { class: "button is-full", onclick: start }, icon("restart"), "Try again"));
    }
    const { allowed, refusal } = title.canPlay;
    if (!allowed) return h("p", { class: "notice", role: "status" }, icon("info"), h("span", {}, refusalNotice(title, refusal)));
    const target = title.progress?.resumeTitle;
    const started = title.progress?.positionSeconds > 0 && !title.progress.completed;
    const episode = target?.season ? ` S${target.season.number} E${target.number}` : title.kind === "SERIES" ? " S1 E1" : "";
    const words = started ? `Resume${episode || ` at ${clock(title.progress.positionSeconds)}`}` : `Play${episode}`;
    return h(
      "div",
      { class: "play-area" },
      started ? h("span", { class: "bar" }, h("i", { style: { width: `${Math.round(title.progress.fraction * 100)}%` } })) : null,
      h("button", { class: "button is-primary is-full", onclick: () => app.play(playableId(title)) }, icon("play"), words),
      started ? h("button", { class: "button is-full", onclick: () => app.play(playableId(title), { startOver: true }) }, icon("restart"), "From the start") : null,
    );
  }

  function credits(label, people) {
    return people?.length ? h("p", { class: "credits" }, h("span", {}, label), people.map((credit) => credit.person.displayName).join(", ")) : null;
  }

  // What the profile may say of the title, as a line of small buttons; each once more takes it back.
  function actions() {
    const line = h("div", { class: "sheet-actions" });
    const draw = () => {
      const isBegun = title.progress?.fraction > 0 && !title.progress.completed && !isDismissed;
      line.replaceChildren(
        action(title.inMyList ? "check" : "plus", title.inMyList ? "In My List" : "My List", "list", title.inMyList, toggleListed),
        ...THUMBS.map((one) => {
          const isGiven = title.thumb === one.thumb;
          return action(one.icon, isGiven ? one.given : one.words, one.thumb, isGiven, async () => {
            title.thumb = await setThumb(title.id, isGiven ? null : one.thumb);
            return title.thumb ? one.toast : "Taken back.";
          });
        }),
        ...(isBegun ? [action("close", "Remove", "dismiss", false, dismiss, "Remove from Continue watching")] : []),
      );
    };
    const action = (sign, words, name, isPressed, act, label = words) =>
      h("button", { class: "action", dataset: { action: name }, "aria-label": label, "aria-pressed": String(isPressed), onclick: () => change(name, act) }, icon(sign), h("span", {}, words));
    async function change(name, act) {
      try {
        app.toast(await act());
        app.changes += 1;
        draw();
        line.querySelector(`[data-action="${name}"]`)?.focus({ preventScroll: true });
      } catch (error) {
        app.toast(error.kind ? failureWords(error).heading : error.message);
      }
    }
    draw();
    return line;
  }

  async function toggleListed() {
    title.inMyList = await setInMyList(title.id, !title.inMyList);
    return title.inMyList ? "Added to My List." : "Removed from My List.";
  }

  async function dismiss() {
    await removeFromContinueWatching(title.progress.resumeTitle?.id ?? title.id);
    isDismissed = true;
    return "Removed from Continue watching.";
  }

  function episodes() {
    const seasons = nodes(title.seasons).filter((season) => nodes(season.episodes).length);
    if (!seasons.length) return null;
    const list = h("ul", { class: "episodes" });
    const show = (season) => list.replaceChildren(...nodes(season.episodes).map((episode) => episodeItem(episode, () => app.play(episode.id))));
    const resumeSeason = title.progress?.resumeTitle?.season?.number;
    const first = seasons.find((season) => season.number === resumeSeason) ?? seasons[0];
    const choice = h("select", { class: "season-choice", "aria-label": "Season", onchange: () => show(seasons[choice.selectedIndex]) }, seasons.map((season) => h("option", { selected: season === first }, season.displayName)));
    show(first);
    return h("section", { class: "sheet-section", "aria-label": "Episodes" }, seasons.length > 1 ? choice : h("h2", {}, first.displayName), list);
  }

  function similar() {
    const titles = nodes(title.similar);
    if (!titles.length) return null;
    return h("section", { class: "sheet-section", "aria-label": "More like this" }, h("h2", {}, "More like this"), h("div", { class: "poster-grid" }, titles.map((other) => posterCard(other, other.poster, () => app.openTitle(other.id)))));
  }

  return { element, start };
}
