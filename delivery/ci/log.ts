// What a pipeline's log gets: no secret of the environment, and no line that its system would take for a command.

import { stripVTControlCharacters } from "node:util";

/** Names of variables that hold a secret, and of those that only say where one is. */
const SECRET = /token|secret|passw|passphrase|credential|connection_?string|sas|key$|_pat$/i;
const PLACE = /(_file|_path|_url|_uri|_name|_id)$/i;
const HIDDEN = "[hidden]";
/** Shorter values would hide words that are no secret; and what is shown instead is never longer. */
const SHORTEST = HIDDEN.length;

/** Takes the secrets of an environment out of texts. */
export class Masker {
  readonly #secrets = new Set<string>();

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    for (const [name, value] of Object.entries(environment))
      if (value !== undefined && SECRET.test(name) && !PLACE.test(name)) this.add(value);
  }

  /** Hides one more from now on; each line of it too, for a key has many. */
  add(secret: string): void {
    const parts = [secret, ...secret.split(/\r?\n/).filter((line) => line.length >= 16)];
    for (const part of parts.map((each) => each.trim()).filter((each) => each.length >= SHORTEST))
      for (const form of [part, encodeURIComponent(part), Buffer.from(part).toString("base64")])
        this.#secrets.add(form);
  }

  hide(text: string): string {
    const longestFirst = [...this.#secrets].sort((one, other) => other.length - one.length);
    return longestFirst.reduce((shown, secret) => shown.replaceAll(secret, HIDDEN), text);
  }
}

// What a runner's search for its commands passes over, and colours.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * A text whose lines no system takes for commands: GitHub looks for `::` at a line's begin and `##[` anywhere, Azure
 * Pipelines for `##vso[` and `##[` anywhere.
 */
export function harmless(text: string): string {
  return text
    .split(/\r\n|[\n\r]/)
    .map((line) =>
      stripVTControlCharacters(line)
        .replace(UNSEEN, (character) => (character === "\t" ? character : ""))
        .replace(/^(\s*)::/, "$1\\::")
        .replace(/##(?=(vso)?\[)/gi, "#\\#"),
    )
    .join("\n");
}

/** A run's log. */
export class Log {
  readonly masker: Masker;
  readonly #write: (text: string) => void;

  /** @param write takes whole lines, with their ends. */
  constructor(masker: Masker, write: (text: string) => void) {
    this.masker = masker;
    this.#write = write;
  }

  /** Writes a text of any origin. */
  say(text: string): void {
    this.#write(`${harmless(this.masker.hide(text))}\n`);
  }

  /** Writes a line that is a command to the system. */
  command(line: string): void {
    this.#write(`${this.masker.hide(line)}\n`);
  }
}
