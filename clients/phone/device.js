// What this phone tells the server about itself.

/** For page(device: …), measured now: a phone may be turned. The upright screen in CSS pixels, and how dense they are. */
export function device() {
  const ratio = Math.min(4, Math.max(1, devicePixelRatio || 1));
  const narrow = Math.min(innerWidth, innerHeight);
  const wide = Math.max(innerWidth, innerHeight);
  return {
    formFactor: "PHONE",
    widthPx: narrow,
    heightPx: wide,
    pixelRatio: ratio,
    imageFormats: ["WEBP", "JPEG"],
    supports: ["HERO", "CONTINUE_WATCHING", "BECAUSE_YOU_WATCHED", "TOP_PICKS", "TRENDING", "NEW_RELEASES", "POPULAR_IN_COUNTRY", "GENRE", "MY_LIST", "WATCH_AGAIN", "COLLECTION", "LEAVING_SOON"],
  };
}
