// One viewing, from startPlayback to stopPlayback: asks the graph for a session, plays its manifest, reports the
// position, and always says where it ended. The screen around it draws the controls.

import { call, preloadOperations } from "./api.js";
import { chooseManifest, createEngine, supportsClearKey } from "./engines.js";
import { deviceId } from "./session.js";
import { refusalSentence } from "./wording.js";

/** Why a viewing did not start or could not go on: a sentence for people; refusal when the server said no. */
export class PlaybackFailed extends Error {
  constructor(sentence, { refusal = null, detail = null } = {}) {
    super(sentence);
    this.name = "PlaybackFailed";
    this.refusal = refusal;
    this.detail = detail;
  }
}

/**
 * Events: "failed" (detail: PlaybackFailed), "lost" (the server no longer knows the session; playing goes on, but
 * nothing is remembered).
 */
export class Viewing extends EventTarget {
  #sequence = 0;
  #rebufferCount = 0;
  #timer = null;
  #stopped = false;
  #ending = null;
  #beating = false;
  #waiting = false;

  /** formFactor: TV | PHONE …; maxHeightPx: what this screen can show; textContainer: where subtitles are drawn. */
  constructor(video, { formFactor, maxHeightPx, preferHlsJs = false, textContainer = null }) {
    super();
    this.video = video;
    this.formFactor = formFactor;
    this.maxHeightPx = maxHeightPx;
    this.preferHlsJs = preferHlsJs;
    this.textContainer = textContainer;
    this.session = null;
    this.engine = null;
  }

  /** Starts at the resume point, or at the beginning with startOver. Rejects with PlaybackFailed. */
  async start(titleId, { startOver = false } = {}) {
    const clearKey = await supportsClearKey();
    const device = { id: deviceId(), formFactor: this.formFactor, maxHeightPx: this.maxHeightPx, supportsClearKey: clearKey };
    const { data } = await call("shared/start_playback", { input: { titleId, device, startOver } });
    const result = data.startPlayback;
    if (result.__typename !== "StartPlaybackSuccess") throw new PlaybackFailed(refusalSentence(result), { refusal: result.reason });
    this.session = result.session;
    if (this.#stopped) return this.#release();
    preloadOperations("shared/heartbeat", "shared/stop_playback");
    await this.#play(clearKey);
  }

  async #play(clearKey) {
    const choice = chooseManifest(this.session.manifests, { preferHlsJs: this.preferHlsJs, clearKey });
    if (!choice) {
      await this.stop();
      throw new PlaybackFailed("This film cannot be played on this device.", { detail: "no manifest that this device can decrypt" });
    }
    try {
      this.engine = await createEngine(choice.engine, this.video, this.session, this.textContainer);
      this.engine.onfailure = (failure) => this.#fail(new PlaybackFailed(failure.sentence, { detail: failure.detail }));
      await this.engine.load(choice.manifest, this.session.resumePositionSeconds);
    } catch (error) {
      if (this.#stopped) return;
      await this.stop();
      throw new PlaybackFailed(error.message, { detail: error.detail });
    }
    if (this.#stopped) return;
    this.#watch();
    // Autoplay may be refused until the viewer touches the page; the controls then show "play".
    await this.video.play().catch(() => null);
  }

  #watch() {
    const { video } = this;
    this.listening = new AbortController();
    const { signal } = this.listening;
    video.addEventListener("pause", () => this.beat("PAUSED"), { signal });
    video.addEventListener("seeked", () => this.beat(), { signal });
    video.addEventListener("waiting", () => this.#countRebuffer(), { signal });
    // The last chance to say where it ended when the page is closed or the TV is switched off.
    addEventListener("pagehide", () => this.stop(), { signal });
    const interval = Math.max(5, this.session.heartbeatIntervalSeconds) * 1000;
    this.#timer = setInterval(() => !video.paused && this.beat(), interval);
  }

  #countRebuffer() {
    if (!this.video.seeking && this.video.currentTime > 0) this.#rebufferCount += 1;
  }

  /** Reports the position now. While a report is under way, what comes is one report after it: the newest says it all. */
  async beat(state = this.video.paused ? "PAUSED" : "PLAYING") {
    if (this.#stopped) return;
    if (this.#beating) {
      this.#waiting = true;
      return;
    }
    this.#beating = true;
    const { bitrateBps, bufferSeconds } = this.engine.measure();
    const input = {
      sessionId: this.session.id,
      positionSeconds: this.video.currentTime,
      sequence: (this.#sequence += 1),
      state,
      bitrateBps,
      bufferSeconds: Math.round(bufferSeconds * 10) / 10,
      rebufferCount: this.#rebufferCount,
    };
    try {
      const { data } = await call("shared/heartbeat", { input });
      const { __typename: outcome, refusal } = data.heartbeat;
      if (outcome === "SessionNotFound") this.dispatchEvent(new Event("lost"));
      // The position is kept, but another device has this one's place: playing on is over.
      if (refusal) this.#fail(new PlaybackFailed(refusalSentence({ reason: refusal }), { refusal }));
    } catch (error) {
      // A missed report is made good by the next one; the film goes on.
      console.warn("heartbeat:", error.message);
    } finally {
      this.#beating = false;
    }
    if (!this.#waiting) return;
    this.#waiting = false;
    await this.beat();
  }

  /**
   * Ends the viewing and keeps its position. May be called at any time, any number of times. Resolves to the title as far
   * as it is known where it stands now, {id, progress}, else to null.
   */
  stop() {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end() {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.listening?.abort();
    const [title] = await Promise.all([this.#sayStopped(), this.engine?.destroy().catch(() => null)]);
    return title;
  }

  async #release() {
    await this.#sayStopped();
  }

  async #sayStopped() {
    if (!this.session) return null;
    const positionSeconds = this.listening ? this.video.currentTime : this.session.resumePositionSeconds;
    const input = { sessionId: this.session.id, positionSeconds, sequence: (this.#sequence += 1) };
    try {
      const { data } = await call("shared/stop_playback", { input }, { keepalive: true });
      return data.stopPlayback.title ?? null;
    } catch (error) {
      console.warn("stop:", error.message);
      return null;
    }
  }

  #fail(failure) {
    this.stop();
    this.dispatchEvent(new CustomEvent("failed", { detail: failure }));
  }

  /** The marker that holds this second ("INTRO", "RECAP"…), or null. */
  markerAt(seconds) {
    return this.session?.markers.find((marker) => seconds >= marker.startSeconds && seconds < marker.endSeconds) ?? null;
  }

  /** Moves by seconds, within the film. */
  seekBy(seconds) {
    this.seekTo(this.video.currentTime + seconds);
  }

  seekTo(seconds) {
    const end = Number.isFinite(this.video.duration) ? this.video.duration : this.session.durationSeconds;
    this.video.currentTime = Math.min(Math.max(0, seconds), Math.max(0, end - 0.5));
  }

  /** Seconds; what the session says until the media knows. */
  get duration() {
    return Number.isFinite(this.video.duration) && this.video.duration > 0 ? this.video.duration : (this.session?.durationSeconds ?? 0);
  }
}
