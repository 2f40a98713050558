// What of texts and values may be shown: a secret that the stack has is found wherever it stands, and what looks like
// one is hidden too. Rather too little is shown than too much.
import { redactedText } from "../../settings/redact.ts";

/** Stands where a value is secret. */
export const HIDDEN = "[hidden]";

/** The key and the value that mark a secret in states and events (github.com/pulumi/pulumi, sdk/go/common/resource/sig). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** Shorter ones are words and numbers that stand everywhere. */
const SHORTEST = 8;

/** Names of environment variables whose values are credentials, and of those that only say where one is. */
const CREDENTIAL = /TOKEN|SECRET|PASSWORD|PASSPHRASE|CREDENTIAL|KEY$|CONNECTION_?STRING|SAS\b|AUTHORIZATION/i;
const PLACE = /_(FILE|PATH|URL|URI|NAME|ID)$/i;

/** Whether a value of a state or an event is marked as secret. */
export function isSecret(value: unknown): boolean {
  return typeof value === "object" && value !== null && (value as Record<string, unknown>)[SIGNATURE] === SECRET;
}

/** Every text that stands in a secret of a state with its secrets in plain text. */
export function secretsIn(state: unknown): string[] {
  if (typeof state !== "object" || state === null) return [];
  const { plaintext } = state as Record<string, unknown>;
  if (isSecret(state)) return typeof plaintext === "string" ? secretsOf(plaintext) : [];
  return Object.values(state).flatMap(secretsIn);
}

/** The texts of a secret: itself, and where it is JSON the texts in it too. */
export function secretsOf(secret: string): string[] {
  try {
    return [secret, ...textsIn(JSON.parse(secret))];
  } catch {
    return [secret];
  }
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** The credentials of an environment. */
export function environmentSecrets(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value && CREDENTIAL.test(name) && !PLACE.test(name) ? [value] : [],
  );
}

/** Names below which a text is a credential, and those that only name or address one. */
const TELLING =
  /pass(word|phrase|wd)?$|pwd|secret|token|credential|(api|access|private|account|shared|ssh)-?_?key|connection-?_?string|\bsas\b/i;
const ONLY_NAMES =
  /(name|names|ref|refs|id|ids|uri|url|type|kind|path|fingerprint|namespace|provider|enabled|version)$/i;

/** Whether what stands below a name is a credential. */
export const isTelling = (name: string): boolean => TELLING.test(name) && !ONLY_NAMES.test(name);

const PEM = /-----BEGIN [^-]*-----[\s\S]*?(-----END [^-]*-----|$)/g;
/** What signs a request. */
const SIGN_IN = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/g;
/** A name and what it is set to, in the middle of a text. */
const SETTING = /(?<![\w.-])(?<name>[\w.-]+)(?<sign>"?[ \t]*[=:][ \t]*["']?)(?<value>[^\s"',;&]{4,})/g;
/** What may be an address, a token or a key: a word, as far as quotes, brackets and blanks part it. */
const WORD = /[^\s"'`<>(){}[\],;]{12,}/g;
/** A digest, a commit, or an image by its digest: nothing of them signs anybody in. */
const HARMLESS =
  /^(sha256:)?[0-9a-f]{40}([0-9a-f]{24})?$|^([a-z]+:\/\/)?[\w.-]+(:\d+)?(\/[\w.-]+)*(:[\w.-]+)?@sha256:[0-9a-f]{64}$/;

/** Hides secrets in texts. */
export class Mask {
  readonly #known: RegExp | undefined;

  /** @param secrets those that are known; the parts of texts with several lines too. */
  constructor(secrets: Iterable<string>) {
    const parts = new Set<string>();
    for (const secret of secrets) {
      if (secret.trim().length >= SHORTEST) parts.add(secret.trim());
      // A line of a key is as secret as the key; one with blanks is a sentence or YAML.
      const lines = secret.split("\n").map((line) => line.trim());
      if (lines.length > 1)
        for (const line of lines) if (line.length >= 2 * SHORTEST && !/\s/.test(line)) parts.add(line);
    }
    const forms = [...parts].flatMap((part) => [part, ...escaped(part), encodeURIComponent(part), base64(part)]);
    // A long one first: a short one may be its beginning.
    const sorted = [...new Set(forms)].sort((a, b) => b.length - a.length);
    if (sorted.length > 0) this.#known = new RegExp(sorted.map(RegExp.escape).join("|"), "g");
  }

  /** A text without the secrets that are known, or look like one. */
  text(value: string): string {
    return this.known(value)
      .replace(PEM, HIDDEN)
      .replace(SIGN_IN, `$1 ${HIDDEN}`)
      .replace(SETTING, withoutValue)
      .replace(WORD, shownWord);
  }

  /** A text without the secrets that are known. */
  known(value: string): string {
    return this.#known === undefined ? value : value.replace(this.#known, HIDDEN);
  }
}

/** After a colon there may be a sentence, and only what no sentence has is hidden. */
function withoutValue(all: string, name: string, sign: string, value: string): string {
  const isSet = sign.includes("=") || /\d/.test(value) || /[^\w.-]/.test(value);
  return isTelling(name) && isSet && !/^(true|false|null)$/.test(value) ? `${name}${sign}${HIDDEN}` : all;
}

function shownWord(word: string): string {
  if (HARMLESS.test(word)) return word;
  // Words after a # are a page's heading.
  const [, page, heading] = /^(https:\/\/[^#?@]+)(#[a-z]{2,}(?:-[a-z0-9]{1,12})*[.,:]?)$/.exec(word) ?? [];
  if (page !== undefined && heading !== undefined) return redactedText(page) + heading;
  // An address as a whole, for where it begins tells what its parts are; of anything else each part for itself.
  if (/:\/\/|@|%40|\?/.test(word)) return redactedText(word);
  return word.replace(/[^/=:&|]+/g, (part) => (HARMLESS.test(part) ? part : redactedText(part)));
}

/** A text as it stands in JSON, and in JSON that is a text in JSON. */
function escaped(text: string): string[] {
  const inJson = JSON.stringify(text).slice(1, -1);
  return [inJson, JSON.stringify(inJson).slice(1, -1)];
}

const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");
