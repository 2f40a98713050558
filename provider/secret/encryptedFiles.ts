// Which keys of Azure Key Vault can decrypt a SOPS file: told by its text alone, in every format that sops writes.

import { parseAllDocuments } from "yaml";
import { isMap } from "../../net/values.ts";

/** Whether some keys can decrypt a file and others cannot. */
export interface Decryption {
  /** `<vault URL>/keys/<name>` of a key that has to be among the file's. */
  readonly by: string;
  /** The same of one that must not be among them; undefined for any file of the first. */
  readonly notBy: string | undefined;
}

/** Whether a file is a SOPS file that one key can decrypt and another one cannot. */
export function decryptsOnly(text: string, { by, notBy }: Decryption): boolean {
  if (!text.includes("vault_url")) return false;
  const keys = keysOf(text).map(comparable);
  return keys.includes(comparable(by)) && (notBy === undefined || !keys.includes(comparable(notBy)));
}

/** `<vault URL>/keys/<name>` of every key of Key Vault that a SOPS file names; none for any other text. */
export function keysOf(text: string): string[] {
  const flat = flatKeys(text);
  if (flat.length > 0) return flat;
  try {
    return parseAllDocuments(text, { logLevel: "error" }).flatMap((document) => documentKeys(document.toJS()));
  } catch {
    return []; // Templates and other texts that are no YAML, which sops has not written.
  }
}

function documentKeys(content: unknown): string[] {
  const sops = isMap(content) ? content.sops : undefined;
  if (!isMap(sops)) return [];
  const groups = Array.isArray(sops.key_groups) ? sops.key_groups : [];
  return [sops, ...groups].flatMap((group) =>
    isMap(group) && Array.isArray(group.azure_kv) ? group.azure_kv.filter(isMap).map(uriOf) : [],
  );
}

/** The metadata of .env and .ini files: one line a value, with the path in its name. */
function flatKeys(text: string): string[] {
  const entries = new Map<string, Record<string, unknown>>();
  for (const [, entry = "", property = "", value = ""] of text.matchAll(
    /^\s*(?:sops_)?((?:key_groups__list_\d+__map_)?azure_kv__list_\d+)__map_(vault_url|name)\s*=\s*(\S+)\s*$/gm,
  ))
    entries.set(entry, { ...entries.get(entry), [property]: value });
  return [...entries.values()].map(uriOf);
}

function uriOf({ vault_url, name }: Record<string, unknown>): string {
  return `${String(vault_url)}/keys/${String(name)}`;
}

/** Key Vault takes names in any case, and sops keeps the URL as it was written. */
function comparable(uri: string): string {
  return uri.toLowerCase().replace(/(?<!:)\/+(?=\/)/g, "");
}
