import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { isMap } from "./check.ts";

/**
 * A stack's configuration as its file has it, over the defaults of Pulumi.yaml, without the engine; whole keys.
 * @param folder the folder of Pulumi.yaml.
 * @throws Error naming the stacks there are, or the file that cannot be read.
 */
export async function readStackFile(
  folder: string,
  stack: string,
): Promise<{ project: string; stack: string; config: Record<string, unknown> }> {
  const project = await readYaml(join(folder, "Pulumi.yaml"));
  if (project === undefined)
    throw new Error(`${folder} holds no Pulumi.yaml. Give the project's folder with --project.`);
  const file = await readYaml(join(folder, `Pulumi.${stack}.yaml`));
  if (file === undefined) {
    const names = (await readdir(folder)).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
    const known = names.length === 0 ? "there is no stack's file at all" : `there are ${names.sort().join(", ")}`;
    throw new Error(
      `${folder} holds no Pulumi.${stack}.yaml; ${known}. Run \`pulumi stack init ${stack}\`, or correct --stack.`,
    );
  }
  const name = String(project.name);
  const defaults = Object.entries(isMap(project.config) ? project.config : {}).flatMap(([key, entry]) => {
    // Pulumi.yaml may give a type with a default, a value, or the plain value itself.
    const value = isMap(entry) ? (entry.value ?? entry.default) : entry;
    return value === undefined ? [] : [[key.includes(":") ? key : `${name}:${key}`, value]];
  });
  const config = { ...Object.fromEntries(defaults), ...(isMap(file.config) ? file.config : {}) } as Record<
    string,
    unknown
  >;
  return { project: name, stack, config };
}

async function readYaml(path: string): Promise<Record<string, unknown> | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    throw new Error(`${path} is no YAML: ${(error as Error).message}`);
  }
  if (content !== null && !isMap(content)) throw new Error(`${path} must hold a map.`);
  return content ?? {};
}
