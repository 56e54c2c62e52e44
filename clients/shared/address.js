// What the addresses of both pages carry behind the #: parts between slashes, percent-encoded.

/** A part as it was before it was encoded; one that nobody encoded so, "%" or "%zz", is an id that nobody knows. */
export function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
