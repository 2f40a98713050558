// Who people have signed in as with `docker login`, `az acr login` or their like: Docker's config.json, and its helpers
// (https://github.com/docker/docker-credential-helpers).

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { isMap } from "../values.ts";
import type { RegistryLogin } from "./client.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** How long a helper may take, in milliseconds: it may ask a service, but no person. */
const PATIENCE = 20_000;

/** The user of a helper's answer whose secret is an identity token; and Azure's user for it. */
const TOKEN_USER = "<token>";
const AZURE_USER = "00000000-0000-0000-0000-000000000000";

/**
 * The sign-in of a registry in the file of REGISTRY_AUTH_FILE, else that of Docker; undefined where there is none.
 * @param host as in image names.
 * @throws Error when the file cannot be read as JSON.
 */
export async function dockerLogin(host: string, environment: Environment): Promise<RegistryLogin | undefined> {
  const path =
    environment.REGISTRY_AUTH_FILE ?? join(environment.DOCKER_CONFIG ?? join(homedir(), ".docker"), "config.json");
  const config = await readConfig(path);
  const key = host === "docker.io" ? "https://index.docker.io/v1/" : host;
  const helper = isMap(config.credHelpers) ? config.credHelpers[key] : undefined;
  const name = helper ?? (isMap(config.auths) && key in config.auths ? config.credsStore : undefined);
  const answer = typeof name === "string" ? await ask(name, key, environment) : undefined;
  return answer ?? loginOf(isMap(config.auths) ? config.auths[key] : undefined);
}

async function readConfig(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return {};
  }
  try {
    const content: unknown = JSON.parse(text);
    return isMap(content) ? content : {};
  } catch {
    // What is wrong in it may be a credential.
    throw new Error(`${path} is no JSON: correct it, or sign in anew with \`docker login\``);
  }
}

function loginOf(entry: unknown): RegistryLogin | undefined {
  if (!isMap(entry) || typeof entry.auth !== "string") return undefined;
  const text = Buffer.from(entry.auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 0) return undefined;
  const password = typeof entry.identitytoken === "string" ? entry.identitytoken : text.slice(colon + 1);
  return password === "" ? undefined : { username: text.slice(0, colon), password };
}

/** Asks a helper; undefined where it knows nothing, or is not there. */
function ask(name: string, key: string, environment: Environment): Promise<RegistryLogin | undefined> {
  if (!/^[\w.-]+$/.test(name)) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const options = { timeout: PATIENCE, env: { ...environment } };
    const child = execFile(`docker-credential-${name}`, ["get"], options, (error, stdout) => {
      const content = error === null ? parsed(stdout) : undefined;
      const { Username: user, Secret: password } = isMap(content) ? content : {};
      if (typeof user !== "string" || typeof password !== "string" || password === "") return resolve(undefined);
      resolve({ username: user === TOKEN_USER ? AZURE_USER : user, password });
    });
    child.stdin?.on("error", () => {});
    child.stdin?.end(key);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
