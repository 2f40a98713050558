/** Twelve digits tell commits and digests apart, for a reader. */
export const short = (text: string) => text.replace(/\b([0-9a-f]{12})[0-9a-f]{28,52}\b/g, "$1");
