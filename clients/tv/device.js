// What this TV tells the server about itself, and the section kinds that this page can draw.

/** For page(device: …). A TV page is always laid out at 1920 × 1080 and scaled by the screen. */
export const DEVICE = {
  formFactor: "TV",
  widthPx: 1920,
  heightPx: 1080,
  pixelRatio: 1,
  imageFormats: ["WEBP", "JPEG"],
  supports: [
    "HERO",
    "CONTINUE_WATCHING",
    "BECAUSE_YOU_WATCHED",
    "TOP_PICKS",
    "TRENDING",
    "NEW_RELEASES",
    "POPULAR_IN_COUNTRY",
    "GENRE",
    "MY_LIST",
    "WATCH_AGAIN",
  ],
};

/** Lengths of the page are rem of 1/120 of the screen's width; the server speaks in pixels of a 1920 screen. */
export function rem(px) {
  return `${px / 16}rem`;
}
