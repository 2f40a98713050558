import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { isMap } from "../net/values.ts";
import type { SettingsSource } from "./types.ts";
import { kind } from "./words.ts";

/**
 * A stack's configuration as the engine reads it from its file, over the defaults of Pulumi.yaml, but without the
 * engine: secrets stay sealed.
 * @param folder the folder of the stack's file.
 * @param projectFolder the folder of Pulumi.yaml.
 * @throws Error naming the stacks there are, or the file that is wrong, the place in it and the remedy; never a value.
 */
export async function readStackFile(
  folder: string,
  stack: string,
  projectFolder = folder,
): Promise<SettingsSource & { config: Record<string, unknown>; sealed: true }> {
  const projectPath = join(projectFolder, "Pulumi.yaml");
  const project = await readYaml(projectPath);
  if (project === undefined)
    throw new Error(`${projectFolder} holds no Pulumi.yaml. Give the project's folder with --project.`);
  const { name } = project;
  if (typeof name !== "string" || name === "")
    throw new Error(`${projectPath} does not name the project. Write name: and a text, for example name: aks-gitops.`);
  const path = join(folder, `Pulumi.${stack}.yaml`);
  const file = await readYaml(path);
  if (file === undefined) {
    const names = (await readdir(folder)).flatMap((entry) => /^Pulumi\.(.+)\.yaml$/.exec(entry)?.[1] ?? []);
    const known = names.length === 0 ? "there is no stack's file at all" : `there are ${names.sort().join(", ")}`;
    throw new Error(
      `${folder} holds no Pulumi.${stack}.yaml; ${known}. Run \`pulumi stack init ${stack}\`, or correct --stack.`,
    );
  }
  // Pulumi.yaml may give a type with a default, a value, or the plain value itself.
  const defaults = Object.entries(configOf(projectPath, project, name)).map(([key, entry]) => [
    key,
    isMap(entry) ? (entry.value ?? entry.default) : entry,
  ]);
  const values = { ...Object.fromEntries(defaults), ...configOf(path, file, name) };
  const config = Object.entries(values).filter(([, value]) => value !== undefined);
  return { project: name, stack, config: Object.fromEntries(config), sealed: true, folder };
}

/** The configuration of a file by whole key. */
function configOf(path: string, { config }: Record<string, unknown>, project: string): Record<string, unknown> {
  if (config === undefined || config === null) return {};
  if (!isMap(config))
    throw new Error(
      `${path}: config is ${kind(config)} where a map is expected. Write one line a key below it, for example ` +
        "azure-native:location: westeurope, without a hyphen in front.",
    );
  const result: Record<string, unknown> = {};
  for (const [written, value] of Object.entries(config)) {
    const key = wholeKey(path, written, project);
    if (Object.hasOwn(result, key))
      throw new Error(`${path} says ${key} twice, once as ${written}. Remove one: the engine takes either.`);
    // The engine knows no number here.
    result[key] = typeof value === "number" ? String(value) : value;
  }
  return result;
}

/** A key as the engine reads it: the project's namespace is left out at will, `:config:` in the middle is an old form. */
function wholeKey(path: string, key: string, project: string): string {
  const [namespace, ...rest] = key.split(":");
  if (rest.length === 0) return `${project}:${key}`;
  if (rest.length === 1) return key;
  if (rest.length === 2 && rest[0] === "config") return `${namespace}:${rest[1]}`;
  throw new Error(`${path}: ${key} is no key. Write a namespace, one colon and a name, for example aks-gitops:demo.`);
}

// The parser's own words may quote the file, and with it a secret.
const YAML_FAULTS: Readonly<Record<string, string>> = {
  BAD_INDENT: "an indentation does not fit the lines above",
  BLOCK_AS_IMPLICIT_KEY: "a map begins within a line; perhaps a text with a colon needs quotes",
  BLOCK_IN_FLOW: "a line with a hyphen or an indentation stands within brackets",
  DUPLICATE_KEY: "a key stands twice in one map",
  MISSING_CHAR: "a quote, a bracket, a comma or a space is missing",
  MULTILINE_IMPLICIT_KEY: "a key goes over more than one line; perhaps a colon is missing",
  TAB_AS_INDENT: "a tab indents a line",
  UNEXPECTED_TOKEN: "something stands where it does not belong",
};

/**
 * The map that a YAML file holds, empty for an empty file; undefined where there is no such file.
 * @param remedy what to do about a file that holds something else.
 * @throws Error naming the file and what is wrong, without quoting it.
 */
export async function readYaml(
  path: string,
  remedy = "Write config: and the keys below it",
): Promise<Record<string, unknown> | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const documents = [parseAllDocuments(text, { merge: true })].flat();
  const [fault] = documents.flatMap(({ errors }) => errors);
  if (fault) {
    const [at] = fault.linePos ?? [];
    const place = at ? `, line ${at.line}, column ${at.col}` : "";
    throw new Error(`${path}${place} is no YAML: ${YAML_FAULTS[fault.code] ?? "it cannot be read"}. Correct it there.`);
  }
  const [content, ...others] = documents.map((document) => contentOf(path, document) ?? undefined);
  if (others.some((other) => other !== undefined))
    throw new Error(
      `${path} holds ${documents.length} documents, and all but the first go unread. Remove the lines ---.`,
    );
  if (content !== undefined && !isMap(content))
    throw new Error(`${path} holds ${kind(content)} where a map is expected. ${remedy}.`);
  return content ?? {};
}

function contentOf(path: string, document: { toJS(): unknown }): unknown {
  try {
    return document.toJS();
  } catch {
    throw new Error(
      `${path} cannot be read: an alias (*name) has no anchor (&name), or there are too many. Write out what it stands for.`,
    );
  }
}
