// What this TV tells the server about itself, and the section kinds that this page can draw.

/**
 * For page(device: …). A TV page is always laid out on 960 × 540 dp with two pixels each, the canvas of TV platforms,
 * and scaled by the screen.
 */
export const DEVICE = {
  formFactor: "TV",
  widthPx: 960,
  heightPx: 540,
  pixelRatio: 2,
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
    "COLLECTION",
    "LEAVING_SOON",
  ],
};

/** The page's rem is 1/120 of the screen's width; the server speaks in dp, 960 to a screen. */
export function rem(dp) {
  return `${dp / 8}rem`;
}
