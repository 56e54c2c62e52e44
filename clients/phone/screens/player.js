// The phone's player: the film fills the screen, one touch brings the controls.

import { h, icon, statement } from "../../shared/elements.js";
import { PlaybackFailed, Viewing } from "../../shared/player.js";
import { clock, episodeLabel, failureWords } from "../../shared/wording.js";

const HIDE_AFTER_MS = 3500;
const SKIPS = { INTRO: "Skip intro", RECAP: "Skip recap" };

export function playerSheet(app, titleId, { startOver = false } = {}) {
  const video = h("video", { class: "video", playsinline: true });
  const frame = h("div", { class: "video-frame" }, video);
  const control = (sign, words, onclick, extra = "") => h("button", { class: `control ${extra}`, "aria-label": words, onclick }, icon(sign));
  const play = control("pause", "Pause", () => (video.paused ? video.play().catch(() => null) : video.pause()), "is-big");
  const name = h("p", { class: "player-title" });
  const range = h("input", { type: "range", class: "seek", min: 0, max: 1000, value: 0, "aria-label": "Position" });
  const now = h("span", { class: "time" }, "0:00");
  const end = h("span", { class: "time" });
  const captions = control("captions", "Subtitles", cycleSubtitles);
  const next = control("next", "Next episode", () => app.playInstead(viewing.session.nextTitle.id));
  const offer = h("div", { class: "offer" });
  const overlay = h(
    "div",
    { class: "player-overlay" },
    h("div", { class: "player-head" }, control("back", "Back", () => app.back()), name, captions),
    h("div", { class: "player-middle" }, control("back10", "Back 10 seconds", () => viewing.seekBy(-10)), play, control("forward10", "Forward 10 seconds", () => viewing.seekBy(10))),
    h("div", { class: "player-foot" }, now, range, end, next),
  );
  const notice = h("div", { class: "player-notice" }, h("span", { class: "spinner", role: "progressbar", "aria-label": "Loading" }));
  const element = h("section", { class: "sheet player", role: "dialog", "aria-modal": "true", "aria-label": "Player" }, frame, overlay, offer, notice);
  const viewing = new Viewing(video, { formFactor: "PHONE", maxHeightPx: 1080, preferHlsJs: true, textContainer: frame });
  let hiding = null;
  let left = false;
  let dragging = false;

  async function start() {
    try {
      await viewing.start(titleId, { startOver });
    } catch (error) {
      return left || fail(error);
    }
    if (left) return;
    const { title, nextTitle } = viewing.session;
    app.changes += 1;
    notice.replaceChildren();
    name.textContent = [title.series?.displayName, episodeLabel(title), title.displayName].filter(Boolean).join(" · ");
    next.hidden = !nextTitle;
    captions.hidden = !viewing.engine.subtitles().length;
    element.dataset.state = "playing";
    drawPlaying();
    wake();
  }

  function fail(error) {
    const words = error instanceof PlaybackFailed ? { heading: "This can’t be played", text: error.message } : failureWords(error);
    if (error.detail) console.warn("playback:", error.detail);
    overlay.hidden = true;
    element.dataset.state = "failed";
    notice.replaceChildren(statement({ ...words, actions: [h("button", { class: "button is-primary", onclick: () => app.back() }, "Go back")] }));
  }

  function wake() {
    element.classList.add("is-awake");
    clearTimeout(hiding);
    hiding = setTimeout(() => !video.paused && !dragging && element.classList.remove("is-awake"), HIDE_AFTER_MS);
  }

  function drawPlaying() {
    play.replaceChildren(icon(video.paused ? "play" : "pause"));
    play.setAttribute("aria-label", video.paused ? "Play" : "Pause");
  }

  function tick() {
    const { duration } = viewing;
    if (!dragging) range.value = duration ? (video.currentTime / duration) * 1000 : 0;
    range.style.setProperty("--played", `${range.value / 10}%`);
    now.textContent = clock(dragging ? (range.value / 1000) * duration : video.currentTime);
    end.textContent = `−${clock(duration - video.currentTime)}`;
    range.setAttribute("aria-valuetext", `${now.textContent} of ${clock(duration)}`);
    const marker = viewing.markerAt(video.currentTime);
    const nextOne = viewing.session.nextTitle;
    if (marker && SKIPS[marker.kind]) showOffer(SKIPS[marker.kind], () => viewing.seekTo(marker.endSeconds));
    else if (marker?.kind === "CREDITS" && nextOne) showOffer("Next episode", () => app.playInstead(nextOne.id));
    else offer.replaceChildren();
  }

  function showOffer(words, onclick) {
    if (offer.textContent !== words) offer.replaceChildren(h("button", { class: "button", onclick }, words));
  }

  function cycleSubtitles() {
    const choices = [{ id: null, label: "Off" }, ...viewing.engine.subtitles()];
    const at = choices.findIndex((choice) => choice.id === viewing.engine.subtitle());
    const choice = choices[(at + 1) % choices.length];
    viewing.engine.chooseSubtitle(choice.id);
    app.toast(`Subtitles: ${choice.label}`);
  }

  frame.addEventListener("click", () => (element.classList.contains("is-awake") && !video.paused ? element.classList.remove("is-awake") : wake()));
  overlay.addEventListener("click", wake);
  range.addEventListener("input", () => {
    dragging = true;
    tick();
    wake();
  });
  range.addEventListener("change", () => {
    dragging = false;
    viewing.seekTo((range.value / 1000) * viewing.duration);
  });
  video.addEventListener("timeupdate", () => viewing.session && !left && tick());
  for (const event of ["play", "pause"]) video.addEventListener(event, () => (drawPlaying(), wake()));
  video.addEventListener("waiting", () => element.classList.add("is-waiting"));
  video.addEventListener("playing", () => element.classList.remove("is-waiting"));
  video.addEventListener("ended", () => left || (viewing.session.nextTitle ? app.playInstead(viewing.session.nextTitle.id) : app.back()));
  viewing.addEventListener("failed", ({ detail }) => left || fail(detail));
  viewing.addEventListener("lost", () => app.toast("Your place in this film is no longer kept."), { once: true });

  return {
    element,
    start,
    leave() {
      left = true;
      clearTimeout(hiding);
      app.leaving = viewing.stop();
    },
  };
}
