// What a pipeline's log gets: no secret of the environment, and no line that its system would take for a command.

import { stripVTControlCharacters } from "node:util";
import { environmentSecrets, Mask } from "../review/secrets.ts";
import type { Environment } from "./system.ts";

/** What a runner's search for its commands passes over; and a picture with what makes it coloured, which may stay. */
const UNSEEN = /\p{Extended_Pictographic}\ufe0f|[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * A text whose lines no system takes for commands: GitHub looks for `::` at a line's begin and `##[` anywhere, Azure
 * Pipelines for `##vso[` and `##[` anywhere.
 */
export function harmless(text: string): string {
  return text
    .split(/\r\n|[\n\r]/)
    .map((line) =>
      stripVTControlCharacters(line)
        .replace(UNSEEN, (found) => (found === "\t" || /.\ufe0f/u.test(found) ? found : ""))
        .replace(/^(\s*)::/, "$1\\::")
        .replace(/##(?=(vso)?\[)/gi, "#\\#"),
    )
    .join("\n");
}

/** A run's log. */
export class Log {
  readonly #secrets: string[];
  #mask: Mask;
  readonly #write: (text: string) => void;

  /** @param write takes whole lines, with their ends. */
  constructor(environment: Environment, write: (text: string) => void) {
    this.#secrets = environmentSecrets(environment);
    this.#mask = new Mask(this.#secrets);
    this.#write = write;
  }

  /** Hides one more secret from now on. */
  learn(secret: string): void {
    this.#secrets.push(secret);
    this.#mask = new Mask(this.#secrets);
  }

  /** A text without the secrets of the environment. */
  shown(text: string): string {
    return this.#mask.known(text);
  }

  /** Writes a text of any origin. */
  say(text: string): void {
    this.#write(`${harmless(this.shown(text))}\n`);
  }

  /** Writes a line that is a command to the system. */
  command(line: string): void {
    this.#write(`${this.shown(line)}\n`);
  }
}
