// Sizes that several parts share, pixels.
// @ts-check

/** How high a row is. */
export const ROW = 20;
