// What of a value may be shown: everything but what may be a credential. Rather too little is shown than too much.

const HIDDEN = "[hidden]";

// Signs that set a sign-in off from a host: @ itself, encoded, and the forms that browsers take for it.
const AT = /@|%40|\uff20|\ufe6b/gi;
// An image's digest has an @ too.
const DIGEST = /@sha256:[0-9a-f]{64}$/;
// Tokens by their issuers' prefixes: GitHub, GitLab, Slack, npm, AWS, HashiCorp, signed JSON.
const TOKEN =
  /gh[a-z]_\w+|github_pat_\w+|gl[a-z]{2,5}-[\w-]+|xox[a-z]-[\w-]+|npm_\w+|AKIA[A-Z0-9]+|hv[sbr]\.[\w-]+|eyJ[\w-]+\.[\w.-]+/g;
// And any other long word of letters and digits.
const LONG_WORD = /(?<!sha256:[0-9a-f]*)\b(?=[A-Za-z_-]*\d)(?=[\d_-]*[A-Za-z])[\w-]{36,}/g;
// An object id, or nearly one.
const GUID = /^[\da-z]{6,10}(-[\da-z]{3,5}){3}-[\da-z]{10,14}$/i;
const TELLING = /pass|pwd|secret|token|credential|user|api-?key|access-?key|private-?key|connection-?string|\bsas\b/i;

/** Whether a name says that what stands there may be a credential. */
export const isTelling = (name: string): boolean => TELLING.test(name);

/** A value without what may be a credential, at any depth. */
export function redacted(value: unknown): unknown {
  if (typeof value === "string") return redactedText(value);
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [redactedText(name), isTelling(name) ? HIDDEN : redacted(item)]),
  );
}

/** A text without what may be a credential. */
export function redactedText(value: string): string {
  if (value.includes("-----BEGIN")) return HIDDEN;
  return withoutTokens(DIGEST.test(value) ? value : withoutSignIn(value));
}

/** A text that is meant as an address: nothing of it is shown that a well-formed one would not have. */
export function redactedAddress(value: string): string {
  const shown = redactedText(value);
  return /^([a-z+]+:\/\/)?(\[hidden\]@|git@)?[\w.-]+(:\d+)?([/:][\w./~+-]*)?([?#]\[hidden\])?$/i.test(shown)
    ? shown
    : HIDDEN;
}

function withoutSignIn(value: string): string {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*:\/\/)?([\s\S]*)$/i.exec(value) ?? [];
  const at = [...rest.matchAll(AT)].at(-1);
  const user = at ? rest.slice(0, at.index) : "";
  const host = at ? rest.slice(at.index + at[0].length) : rest;
  const signIn = at === undefined ? "" : user === "git" ? "git@" : `${HIDDEN}@`;
  // A port that is no number is a password whose host is missing.
  if (scheme !== "" && /^[^/?#\\]*:(?!\d*([/?#]|$))/.test(host)) return `${scheme}${signIn}${HIDDEN}`;
  const isAddress = scheme !== "" || at !== undefined || host.includes("/");
  const tail = isAddress ? host.search(/[?#;&=]|%3f|%23/i) : -1;
  return `${scheme}${signIn}${tail < 0 ? host : `${host.slice(0, tail)}${host[tail] === "#" ? "#" : "?"}${HIDDEN}`}`;
}

function withoutTokens(value: string): string {
  return value.replace(TOKEN, HIDDEN).replace(LONG_WORD, (word) => (GUID.test(word) ? word : HIDDEN));
}
