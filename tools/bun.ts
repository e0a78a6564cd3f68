/** The Bun that the tests run under and that builds the executable. */
export const BUN = "bun@1.4.5";
