// What the pages say. Reasons come from the server as codes; people read sentences.

const REFUSALS = {
  NOT_SIGNED_IN: "Sign in to watch this.",
  NO_PROFILE: "Choose who is watching first.",
  SUBSCRIPTION_LAPSED: "Your subscription has ended. Renew it in your account to keep watching.",
  NOT_FOUND: "This title is no longer here.",
  RESTRICTED_BY_MATURITY: "This title is not available for this profile.",
  UNAVAILABLE_IN_COUNTRY: "This title is not available in your country.",
  NOT_READY: "There is no film to play here yet. My List keeps it for later.",
  TOO_MANY_STREAMS: "Your plan is already playing on as many screens as it allows.",
};

/** Why a title cannot be played, as a sentence with the next step; also for reasons that this page does not know. */
export function refusalSentence(refusal) {
  const sentence = REFUSALS[refusal.reason] ?? refusal.message ?? "This title cannot be played right now.";
  if (refusal.reason !== "TOO_MANY_STREAMS") return sentence;
  const screens = refusal.maxStreams ? `Your plan plays on ${count(refusal.maxStreams, "screen")} at once.` : sentence;
  return `${screens} Stop watching on another device, then try again.`;
}

/** Why a title's page has no Play button: the reason, sharpened by what is known of its media. */
export function refusalNotice(title, refusal) {
  if (refusal === "NOT_READY" && title.mediaStatus === "PROCESSING") return "This film is being prepared. It can be played in a few minutes.";
  return refusalSentence({ reason: refusal });
}

/** The gestures that say what one thinks of a title: their icons, what they say and what is said once they are made. */
export const THUMBS = [
  { thumb: "UP", icon: "like", words: "Like", given: "You like this", toast: "Good. More like this will come." },
  { thumb: "DOWN", icon: "dislike", words: "Not for me", given: "Not for you", toast: "Noted. Less like this will come." },
  { thumb: "NOT_INTERESTED", icon: "hide", words: "Hide", given: "Hidden", toast: "Hidden. It will not be offered again." },
];

/** What a title's page says when only the catalogue answered. */
export const PLAYING_UNKNOWN = "Playing is not possible right now. Try again in a moment.";

/** Why a profile was not chosen, as a sentence with the next step. refusal: as chooseProfile answers. */
export function profileRefusal(refusal) {
  switch (refusal.kind) {
    case "PinRequired":
      return "This profile has a PIN.";
    case "PinIncorrect":
      return `That is not the PIN. ${count(refusal.triesLeft, "try", "tries")} left.`;
    case "PinLocked":
      return `Too many wrong PINs. Try again in ${duration(refusal.retryAfterSeconds)}, or set a new PIN with the password.`;
    default:
      return refusal.message;
  }
}

/** "1 season", "3 seasons"; many: the plural that is not made with an s. */
export function count(number, noun, many = `${noun}s`) {
  return `${number} ${number === 1 ? noun : many}`;
}

// As the server counts: who saw this much has seen it.
const FINISHED_FROM = 0.9;

/** The line above the hero: why it is there, or else what it is. */
export function heroLine(section) {
  return section.reason?.text ?? section.heading;
}

/** 5580 → "1 h 33 min"; under a minute "1 min"; null when the length is not known. */
export function duration(seconds) {
  if (!seconds) return null;
  const minutes = Math.max(1, Math.round(seconds / 60));
  const hours = Math.floor(minutes / 60);
  if (!hours) return `${minutes} min`;
  return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
}

/** A position on a player's clock: 65 → "1:05", 3665 → "1:01:05". */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const tail = `${String(Math.floor(whole / 60) % 60)}:${String(whole % 60).padStart(2, "0")}`;
  return whole < 3600 ? tail : `${Math.floor(whole / 3600)}:${tail.padStart(5, "0")}`;
}

/** The part of a title that was watched, while it is under way; 0 for what is not begun and for what is finished. */
export function partWatched(progress) {
  const fraction = progress?.fraction ?? 0;
  return fraction < FINISHED_FROM ? fraction : 0;
}

/** "34 min left", or null when it is not under way. */
export function remaining(progress) {
  if (!progress?.durationSeconds || !partWatched(progress)) return null;
  const left = duration(progress.durationSeconds - progress.positionSeconds);
  return left ? `${left} left` : null;
}

/** "S2 E4" for an episode, null for everything else. */
export function episodeLabel(title) {
  if (title?.number === undefined || title?.number === null || !title.season) return null;
  return `S${title.season.number} E${title.number}`;
}

/** The short facts under a title's name, in order; unknown ones are left out. */
export function facts(title) {
  const length = title.kind === "SERIES" && title.seasonCount ? count(title.seasonCount, "season") : duration(title.durationSeconds);
  return [title.releaseYear, length, ...(title.genres ?? []).slice(0, 2).map((genre) => genre.displayName)].filter(Boolean);
}

/** 0.87 → "87% match"; nothing below one half, where a number would only discourage, and nobody is ever quite sure. */
export function matchText(match) {
  return typeof match === "number" && match >= 0.5 ? `${Math.min(99, Math.round(match * 100))}% match` : null;
}

/** What went wrong with a request, for people: {heading, text}. */
export function failureWords(error) {
  switch (error?.kind) {
    case "offline":
      return { heading: "We can’t reach Marquee", text: "Check the network connection, then try again." };
    case "timeout":
      return { heading: "This takes too long", text: "Marquee did not answer in time. Try again in a moment." };
    case "signed-out":
      return { heading: "You have been signed out", text: "Sign in again to go on where you stopped." };
    case "busy":
      return { heading: "Too many requests", text: error.message };
    default:
      return { heading: "Something went wrong", text: "It is not your fault. Try again in a moment." };
  }
}
