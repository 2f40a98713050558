// The secrets of a rehearsal, and the places where they must not stand.
import { strict as assert } from "node:assert";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Ran } from "../../rehearsal/run.ts";
import type { Rehearsal } from "./rehearsal.ts";

/** The key and the value that mark a secret in a Pulumi state (github.com/pulumi/pulumi, sdk/go/common/resource/sig). */
const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";

/** Every string that stands in a secret of `exported`, what `pulumi stack export --show-secrets` printed. */
export function secretsIn(exported: unknown): string[] {
  if (typeof exported !== "object" || exported === null) return [];
  const { [SIGNATURE_KEY]: signature, plaintext } = exported as Record<string, unknown>;
  if (signature === SECRET_SIGNATURE && typeof plaintext === "string") return stringsIn(JSON.parse(plaintext));
  return Object.values(exported).flatMap(secretsIn);
}

function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

/** The demo's password as an editor reads it in Git. */
export async function demoPassword(rehearsal: Rehearsal): Promise<string> {
  const [secret] = rehearsal.report().secrets;
  const read = await rehearsal.succeeds("--as", "editor", "exec", "--", "sops", "decrypt", secret?.file ?? "");
  const password: unknown = parse(read.stdout).stringData?.password;
  assert.ok(typeof password === "string" && password.length >= 16, "the generated password was read");
  return password;
}

/** Every secret of the stack, line by line, the demo's password and the identities' credentials among them. */
async function secretsOf(rehearsal: Rehearsal): Promise<string[]> {
  const password = await demoPassword(rehearsal);
  const exported = JSON.parse((await rehearsal.succeeds("pulumi", "stack", "export", "--show-secrets")).stdout);
  // A secret only so that an update does not print it: it signs in by kubelogin, and its lines stand in many a file.
  for (const { outputs } of exported.deployment.resources) delete outputs?.kubeconfig;
  const plain = secretsIn(exported).flatMap((secret) => secret.split("\n"));
  assert.ok(plain.includes(password), "the state keeps the password as a secret");
  const cloud = JSON.parse(readFileSync(join(rehearsal.folder, "cloud.json"), "utf8"));
  const tokens = Object.values(cloud.identities as Record<string, Record<string, string>>).flatMap(
    ({ clientSecret = "", gitHubToken = "" }) => [clientSecret, gitHubToken],
  );
  assert.ok(tokens.every((token) => token !== ""));
  // The frame of a PEM file is no secret, nor is a user's name: a word, or a service principal's client id.
  const isSecret = (line: string) =>
    line.length > 12 && !/^-----|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(line);
  return [...plain, ...tokens].filter(isSecret);
}

/** What holds the cloud's, the cluster's and az's own secrets, or only links and programs. */
const UNREAD =
  /^cloud\.json$|^azure\/[^/]+\/service_principal_entries\.json$|(^|\/)(node_modules|plugins|objects)(\/|$)|^cluster\/(etcd|credentials|flux\/[^/]+\/.*token)/;

/** Fails where a secret stands in state, logs, Git history, report or another file of a rehearsal. */
export async function assertNoSecretStands(rehearsal: Rehearsal, started: Ran): Promise<void> {
  const texts = new Map([
    ["the Git history", await rehearsal.output("git", "log", "-p", "--all")],
    ["the output of up", started.stdout + started.stderr],
  ]);
  const { folder } = rehearsal;
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (UNREAD.test(name) || (name.startsWith("project/") && !/^project\/(Pulumi|mirror)\./.test(name))) continue;
    if (statSync(join(folder, name)).isFile()) texts.set(name, readFileSync(join(folder, name), "latin1"));
  }
  for (const expected of [
    /^state\/.*\/stacks\/.*\.json$/,
    /^cluster\/logs\//,
    /^report\.json$/,
    /^arm-requests\.jsonl$/,
  ])
    assert.ok(
      [...texts.keys()].some((name) => expected.test(name)),
      `${expected} was searched`,
    );
  const secrets = await secretsOf(rehearsal);
  for (const [name, text] of texts)
    for (const secret of secrets) assert.ok(!text.includes(secret), `a secret stands in ${name}`);
}
