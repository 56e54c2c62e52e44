// The two media engines behind one face, so that a screen does not know which one plays. Shaka Player takes DASH and
// HLS, clear or with Clear Key; hls.js takes HLS in the clear.
//
// An engine: load(manifest, startSeconds) → promise · destroy() · subtitles() → [{id, label}] · chooseSubtitle(id|null)
// · subtitle() → id|null · audioTracks() / chooseAudio(id) / audio() · thumbnail(seconds) → promise · measure() →
// {bitrateBps, bufferSeconds}. onfailure is called with {fatal sentence, detail} when playing cannot go on.

const SHAKA_URL = "/packages/shaka-player.js";
const HLS_URL = "/packages/hls.mjs";
const CLEAR_KEY = "org.w3.clearkey";

/** Can this browser decrypt Clear Key through EME? Browsers offer EME only to secure pages, 127.0.0.1 included. */
export async function supportsClearKey() {
  if (!navigator.requestMediaKeySystemAccess) return false;
  const configuration = {
    initDataTypes: ["cenc", "keyids"],
    videoCapabilities: [{ contentType: 'video/mp4; codecs="avc1.42E01E"' }],
  };
  return navigator.requestMediaKeySystemAccess(CLEAR_KEY, [configuration]).then(
    () => true,
    () => false,
  );
}

/**
 * The manifest to play and the engine for it: {manifest, engine}, or null when none can be played here. Everything that
 * the server offers is allowed; a page that prefers hls.js takes HLS in the clear, any other takes the protected
 * version and DASH before HLS.
 */
export function chooseManifest(manifests, { preferHlsJs = false, clearKey = true } = {}) {
  const usable = manifests.filter((manifest) => manifest.encryption === "CLEAR" || clearKey);
  const find = (encryption, protocol) => usable.find((one) => one.encryption === encryption && one.protocol === protocol);
  const plainHls = preferHlsJs ? find("CLEAR", "HLS") : null;
  if (plainHls) return { manifest: plainHls, engine: "hls.js" };
  const manifest = find("CLEARKEY", "DASH") ?? find("CLEARKEY", "HLS") ?? find("CLEAR", "DASH") ?? usable[0];
  return manifest ? { manifest, engine: "shaka" } : null;
}

/** A ready engine of that name on this video element. */
export async function createEngine(name, video, session, textContainer) {
  return name === "hls.js" ? HlsJsEngine.create(video) : ShakaEngine.create(video, session, textContainer);
}

function loadScript(url) {
  return new Promise((resolve, reject) => {
    if (globalThis.shaka) return resolve();
    const script = document.createElement("script");
    script.src = url;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${url} cannot be loaded`));
    document.head.append(script);
  });
}

class ShakaEngine {
  static async create(video, session, textContainer) {
    await loadScript(SHAKA_URL);
    const { shaka } = globalThis;
    shaka.polyfill.installAll();
    if (!shaka.Player.isBrowserSupported()) throw new Error("This browser cannot play streams.");
    const engine = new ShakaEngine();
    engine.player = new shaka.Player();
    await engine.player.attach(video);
    if (textContainer) engine.player.setVideoContainer(textContainer);
    engine.#configure(shaka, session);
    engine.player.addEventListener("error", (event) => {
      if (event.detail?.severity === shaka.util.Error.Severity.CRITICAL) engine.onfailure?.(shakaFailure(event.detail));
    });
    engine.thumbnailsUrl = session.thumbnailsUrl;
    return engine;
  }

  #configure(shaka, session) {
    this.player.configure({
      streaming: { bufferingGoal: 30, rebufferingGoal: 2, bufferBehind: 30 },
      abr: { restrictions: { maxHeight: session.maxHeightPx } },
      drm: session.licenceUrl ? { servers: { [CLEAR_KEY]: session.licenceUrl } } : {},
      cmcd: { enabled: true, useHeaders: false, sessionId: cmcdSessionId(session.id), contentId: session.title.id.slice(0, 64) },
    });
    // The playback token proves the entitlement; it goes to the licence server and nowhere else.
    this.player.getNetworkingEngine().registerRequestFilter((type, request) => {
      if (type === shaka.net.NetworkingEngine.RequestType.LICENSE) request.headers.Authorization = `Bearer ${session.playbackToken}`;
    });
  }

  async load(manifest, startSeconds) {
    try {
      await this.player.load(manifest.url, startSeconds || null, manifest.mimeType);
    } catch (error) {
      throw Object.assign(new Error(shakaFailure(error).sentence), { detail: shakaFailure(error).detail });
    }
    if (this.thumbnailsUrl) {
      // Without pictures the seek bar still works, so a failure here is only noted.
      this.thumbnails = await this.player.addThumbnailsTrack(this.thumbnailsUrl, "text/vtt").catch((error) => {
        console.warn("No seek pictures:", error?.code ?? error);
        return null;
      });
    }
  }

  async thumbnail(seconds) {
    return this.thumbnails ? this.player.getThumbnails(this.thumbnails.id, seconds).catch(() => null) : null;
  }

  subtitles() {
    return this.player.getTextTracks().map((track) => ({ id: track.id, label: track.label || languageName(track.language) }));
  }

  subtitle() {
    return this.player.getTextTracks().find((track) => track.active)?.id ?? null;
  }

  chooseSubtitle(id) {
    this.player.selectTextTrack(this.player.getTextTracks().find((track) => track.id === id) ?? null);
  }

  audioTracks() {
    return this.player.getAudioTracks().map((track, id) => ({ id, label: track.label || languageName(track.language) }));
  }

  audio() {
    return this.player.getAudioTracks().findIndex((track) => track.active);
  }

  chooseAudio(id) {
    this.player.selectAudioTrack(this.player.getAudioTracks()[id]);
  }

  measure() {
    const { streamBandwidth } = this.player.getStats();
    const { end } = this.player.getBufferedInfo().total.at(-1) ?? { end: 0 };
    const position = this.player.getMediaElement()?.currentTime ?? 0;
    return { bitrateBps: Math.round(streamBandwidth) || null, bufferSeconds: Math.max(0, end - position) };
  }

  async destroy() {
    await this.player.destroy();
  }
}

class HlsJsEngine {
  static async create(video) {
    const { default: Hls } = await import(HLS_URL);
    if (!Hls.isSupported()) throw new Error("This browser cannot play streams.");
    const engine = new HlsJsEngine();
    engine.Hls = Hls;
    engine.video = video;
    engine.hls = new Hls({ maxBufferLength: 30, backBufferLength: 30, subtitleDisplay: true });
    return engine;
  }

  load(manifest, startSeconds) {
    const { hls, Hls } = this;
    hls.config.startPosition = startSeconds || -1;
    return new Promise((resolve, reject) => {
      hls.once(Hls.Events.MANIFEST_PARSED, () => {
        hls.subtitleTrack = -1;
        resolve();
      });
      hls.on(Hls.Events.ERROR, (_event, data) => {
        if (!data.fatal || this.#recover(data)) return;
        const failure = { sentence: "The film cannot be loaded right now.", detail: `${data.type} ${data.details}` };
        reject(Object.assign(new Error(failure.sentence), { detail: failure.detail }));
        this.onfailure?.(failure);
      });
      hls.loadSource(manifest.url);
      hls.attachMedia(this.video);
    });
  }

  // A decoder that stumbled once can be set up again; a second stumble is a failure.
  #recover(data) {
    if (data.type !== this.Hls.ErrorTypes.MEDIA_ERROR || this.recovered) return false;
    this.recovered = true;
    this.hls.recoverMediaError();
    return true;
  }

  async thumbnail() {
    return null;
  }

  subtitles() {
    return this.hls.subtitleTracks.map((track, id) => ({ id, label: track.name || languageName(track.lang) }));
  }

  subtitle() {
    return this.hls.subtitleTrack >= 0 ? this.hls.subtitleTrack : null;
  }

  chooseSubtitle(id) {
    this.hls.subtitleTrack = id ?? -1;
  }

  audioTracks() {
    return this.hls.audioTracks.map((track, id) => ({ id, label: track.name || languageName(track.lang) }));
  }

  audio() {
    return this.hls.audioTrack;
  }

  chooseAudio(id) {
    this.hls.audioTrack = id;
  }

  measure() {
    const level = this.hls.levels[this.hls.currentLevel];
    const { buffered, currentTime } = this.video;
    const end = buffered.length ? buffered.end(buffered.length - 1) : currentTime;
    return { bitrateBps: level?.bitrate ?? null, bufferSeconds: Math.max(0, end - currentTime) };
  }

  async destroy() {
    this.hls.destroy();
  }
}

function languageName(language) {
  if (!language || language === "und") return "Original";
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(language);
  } catch {
    return language;
  }
}

// CMCD limits a session id to 64 characters.
function cmcdSessionId(id) {
  return id.slice(0, 64);
}

// Shaka's error categories 1 (network) and 6 (DRM); the rest is the stream's own trouble.
function shakaFailure(error) {
  const detail = `Shaka ${error?.category ?? "?"}.${error?.code ?? error}`;
  if (error?.category === 6) return { sentence: "This device could not get the key for this film.", detail };
  if (error?.category === 1) return { sentence: "The film cannot be loaded right now. Check the connection and try again.", detail };
  return { sentence: "This film cannot be played on this device.", detail };
}
