// The film. Controls come with any key and go by themselves; left and right always seek on the bar; what the viewer may
// skip (intro, recap) is offered when it is time, and the next episode follows when there is one.

import { h, icon, statement } from "../../shared/elements.js";
import { PlaybackFailed, Viewing } from "../../shared/player.js";
import { clock, episodeLabel, failureWords } from "../../shared/wording.js";
import { focusItem } from "../focus.js";

const HIDE_AFTER_MS = 4000;
const SEEK_STEP_S = 10;
const NEXT_AFTER_S = 10;
const SKIPS = { INTRO: "Skip intro", RECAP: "Skip recap" };

export function playerScreen(app, titleId, { startOver = false } = {}) {
  const video = h("video", { class: "video", playsinline: true });
  const picture = h("div", { class: "video-frame" }, video);
  const parts = controls();
  const notice = h("div", { class: "player-notice" }, h("span", { class: "spinner", role: "progressbar", "aria-label": "Loading" }));
  const element = h("section", { class: "screen player", "aria-label": "Player" }, picture, parts.overlay, parts.offer, notice);
  const viewing = new Viewing(video, { formFactor: "TV", maxHeightPx: 1080, textContainer: picture });
  let hiding = null;
  let nextTimer = null;
  let left = false;

  async function start() {
    try {
      await viewing.start(titleId, { startOver });
    } catch (error) {
      return left || fail(error);
    }
    if (left) return;
    notice.replaceChildren();
    app.changes += 1;
    parts.show(viewing.session);
    drawTracks();
    wake();
    focusItem(parts.play);
  }

  function fail(error) {
    const words = error instanceof PlaybackFailed ? { heading: "This can’t be played", text: error.message } : failureWords(error);
    if (error.detail) console.warn("playback:", error.detail);
    const buttons = [h("button", { class: "button is-primary", dataset: { item: "" }, onclick: () => app.back() }, "Go back")];
    if (!error.refusal) buttons.push(h("button", { class: "button", dataset: { item: "" }, onclick: again }, "Try again"));
    element.classList.remove("is-awake");
    element.dataset.state = "failed";
    parts.overlay.hidden = true;
    notice.replaceChildren(statement({ ...words, actions: buttons }));
    focusItem(buttons[0]);
  }

  function again() {
    app.replace(playerScreen(app, titleId));
  }

  // --- what moves with the film

  function tick() {
    const { duration } = viewing;
    parts.draw(video, duration, viewing.session);
    const marker = viewing.markerAt(video.currentTime);
    const skip = marker && SKIPS[marker.kind];
    const credits = marker?.kind === "CREDITS" && viewing.session.nextTitle;
    if (skip) offer(`skip ${marker.kind}`, skip, "next", () => viewing.seekTo(marker.endSeconds));
    else if (credits) offer("next", nextWords(), "next", playNext);
    else if (!nextTimer) withdrawOffer();
  }

  function offer(name, words, sign, onclick) {
    if (parts.offer.dataset.name === name) return;
    parts.offer.dataset.name = name;
    const button = h("button", { class: "button is-primary", dataset: { item: "" }, onclick: () => (withdrawOffer(), onclick()) }, icon(sign), words);
    parts.offer.replaceChildren(button);
    if (!element.classList.contains("is-awake")) focusItem(button);
  }

  function withdrawOffer() {
    if (!parts.offer.dataset.name) return;
    const hadFocus = parts.offer.contains(document.activeElement);
    delete parts.offer.dataset.name;
    parts.offer.replaceChildren();
    if (hadFocus) focusItem(parts.play);
  }

  function nextWords() {
    const next = viewing.session.nextTitle;
    return `Next: ${[episodeLabel(next), next.displayName].filter(Boolean).join(" · ")}`;
  }

  function onEnded() {
    if (!viewing.session?.nextTitle) return app.back();
    let seconds = NEXT_AFTER_S;
    offer("next", nextWords(), "next", playNext);
    const line = h("span", { class: "next-count" }, ` in ${seconds}`);
    parts.offer.firstElementChild.append(line);
    nextTimer = setInterval(() => {
      seconds -= 1;
      line.textContent = ` in ${seconds}`;
      if (seconds <= 0) playNext();
    }, 1000);
  }

  function playNext() {
    const next = viewing.session.nextTitle.id;
    clearInterval(nextTimer);
    app.replace(playerScreen(app, next));
  }

  // --- the remote control

  function wake() {
    element.classList.add("is-awake");
    clearTimeout(hiding);
    hiding = setTimeout(() => !video.paused && element.classList.remove("is-awake"), HIDE_AFTER_MS);
  }

  function toggle() {
    if (video.paused) video.play().catch(() => null);
    else video.pause();
  }

  function seek(seconds) {
    viewing.seekBy(seconds);
    parts.draw(video, viewing.duration, viewing.session);
    parts.showThumbnail(viewing, video.currentTime);
  }

  function key(event) {
    if (!viewing.session || element.dataset.state === "failed") return false;
    const asleep = !element.classList.contains("is-awake");
    const onBar = document.activeElement === parts.bar;
    const offered = parts.offer.contains(document.activeElement);
    wake();
    switch (event.key) {
      case "ArrowLeft":
      case "MediaRewind":
        if (asleep || onBar || event.key === "MediaRewind") return seek(-SEEK_STEP_S), focusItem(parts.bar), true;
        return false;
      case "ArrowRight":
      case "MediaFastForward":
        if (asleep || onBar || event.key === "MediaFastForward") return seek(SEEK_STEP_S), focusItem(parts.bar), true;
        return false;
      case " ":
      case "MediaPlayPause":
        return toggle(), true;
      case "Enter":
        if (onBar || (asleep && !offered)) return toggle(), true;
        return false;
      case "ArrowUp":
      case "ArrowDown":
        return asleep && !offered ? focusItem(parts.play) : false;
      default:
        return false;
    }
  }

  function drawTracks() {
    const { engine } = viewing;
    parts.tracks.replaceChildren();
    const subtitles = engine.subtitles();
    if (subtitles.length) parts.tracks.append(cycleButton("captions", "Subtitles", [{ id: null, label: "Off" }, ...subtitles], engine.subtitle(), (id) => engine.chooseSubtitle(id)));
    const sounds = engine.audioTracks();
    if (sounds.length > 1) parts.tracks.append(cycleButton("list", "Sound", sounds, engine.audio(), (id) => engine.chooseAudio(id)));
  }

  parts.play.addEventListener("click", toggle);
  parts.back.addEventListener("click", () => seek(-SEEK_STEP_S));
  parts.forward.addEventListener("click", () => seek(SEEK_STEP_S));
  parts.next.addEventListener("click", playNext);
  parts.bar.addEventListener("click", (event) => {
    // A pointer seeks to the place it shows; the Enter key comes as a click without a place.
    if (event.detail) viewing.seekTo((event.offsetX / parts.bar.clientWidth) * viewing.duration);
  });
  video.addEventListener("timeupdate", () => viewing.session && !left && tick());
  video.addEventListener("ended", () => !left && onEnded());
  for (const name of ["play", "pause"]) video.addEventListener(name, () => (parts.drawPlaying(!video.paused), wake()));
  video.addEventListener("waiting", () => element.classList.add("is-waiting"));
  video.addEventListener("playing", () => element.classList.remove("is-waiting"));
  element.addEventListener("pointermove", wake);
  viewing.addEventListener("failed", ({ detail }) => !left && fail(detail));
  viewing.addEventListener("lost", () => app.toast("Your place in this film is no longer kept. Go back and play it again."), { once: true });

  return {
    element,
    start,
    key,
    leave() {
      left = true;
      clearTimeout(hiding);
      clearInterval(nextTimer);
      app.leaving = viewing.stop();
    },
  };
}

function cycleButton(sign, words, choices, current, choose) {
  let index = Math.max(0, choices.findIndex((choice) => choice.id === current));
  const label = h("span", {}, `${words}: ${choices[index].label}`);
  return h(
    "button",
    {
      class: "control is-worded",
      dataset: { item: "" },
      onclick() {
        index = (index + 1) % choices.length;
        choose(choices[index].id);
        label.textContent = `${words}: ${choices[index].label}`;
      },
    },
    icon(sign),
    label,
  );
}

// The overlay's pieces and how they are drawn; what they do is wired by the screen.
function controls() {
  const control = (sign, words) => h("button", { class: "control", dataset: { item: "" }, "aria-label": words }, icon(sign));
  const parts = {
    heading: h("div", { class: "player-heading" }),
    bar: h("button", { class: "seek", dataset: { item: "" }, role: "slider", "aria-label": "Position", "aria-valuemin": 0 }),
    played: h("i", { class: "seek-played" }),
    buffered: h("i", { class: "seek-buffered" }),
    knob: h("i", { class: "seek-knob" }),
    markers: h("span", { class: "seek-markers" }),
    thumbnail: h("span", { class: "seek-thumbnail", hidden: true }),
    now: h("span", { class: "time" }),
    end: h("span", { class: "time" }),
    play: control("pause", "Pause"),
    back: control("back10", "Back 10 seconds"),
    forward: control("forward10", "Forward 10 seconds"),
    next: control("next", "Next episode"),
    tracks: h("span", { class: "tracks" }),
    offer: h("div", { class: "offer", dataset: { row: "offer" } }),
  };
  parts.bar.append(h("span", { class: "seek-line" }, parts.buffered, parts.played, parts.markers), parts.knob, parts.thumbnail);
  parts.overlay = h(
    "div",
    { class: "player-overlay" },
    parts.heading,
    h(
      "div",
      { class: "player-foot" },
      h("div", { class: "seek-row", dataset: { row: "seek" } }, parts.now, parts.bar, parts.end),
      h("div", { class: "control-row", dataset: { row: "controls" } }, parts.back, parts.play, parts.forward, parts.next, parts.tracks),
    ),
  );
  parts.next.hidden = true;

  let thumbnailTimer = null;
  return Object.assign(parts, {
    show(session) {
      const { title } = session;
      const episode = episodeLabel(title);
      parts.heading.replaceChildren(
        h("p", { class: "player-title" }, title.series?.displayName ?? title.displayName),
        episode ? h("p", { class: "player-episode" }, `${episode} · ${title.displayName}`) : "",
      );
      parts.next.hidden = !session.nextTitle;
    },
    draw(video, duration, session) {
      const share = duration ? video.currentTime / duration : 0;
      const ahead = video.buffered.length && duration ? video.buffered.end(video.buffered.length - 1) / duration : 0;
      parts.played.style.width = `${share * 100}%`;
      parts.knob.style.left = `${share * 100}%`;
      parts.buffered.style.width = `${ahead * 100}%`;
      parts.now.textContent = clock(video.currentTime);
      parts.end.textContent = `−${clock(duration - video.currentTime)}`;
      parts.bar.setAttribute("aria-valuemax", Math.round(duration));
      parts.bar.setAttribute("aria-valuenow", Math.round(video.currentTime));
      parts.bar.setAttribute("aria-valuetext", `${clock(video.currentTime)} of ${clock(duration)}`);
      if (parts.markers.childElementCount !== session.markers.length && duration) {
        parts.markers.replaceChildren(...session.markers.map((marker) => h("i", { style: { left: `${(marker.startSeconds / duration) * 100}%` } })));
      }
    },
    drawPlaying(playing) {
      parts.play.replaceChildren(icon(playing ? "pause" : "play"));
      parts.play.setAttribute("aria-label", playing ? "Pause" : "Play");
    },
    /** The picture at a position above the knob, from the sprite, for a short while. */
    async showThumbnail(viewing, seconds) {
      const found = await viewing.engine.thumbnail(seconds);
      clearTimeout(thumbnailTimer);
      parts.thumbnail.hidden = !found;
      if (!found) return;
      Object.assign(parts.thumbnail.style, {
        left: `${(seconds / viewing.duration) * 100}%`,
        width: `${found.width}px`,
        height: `${found.height}px`,
        backgroundImage: `url("${found.uris[0]}")`,
        backgroundPosition: `${-found.positionX}px ${-found.positionY}px`,
      });
      thumbnailTimer = setTimeout(() => (parts.thumbnail.hidden = true), 1500);
    },
  });
}
