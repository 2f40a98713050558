// KeyInUse: keeps a key that was replaced as long as files of the repository can be decrypted with nothing else.

import { randomBytes } from "node:crypto";
import * as z from "zod";
import { detailedDiff } from "../../plugin/diff.ts";
import { type Context, type Diff, UNKNOWN } from "../../plugin/handler.ts";
import {
  handlerOf,
  type Inputs,
  instance,
  type Known,
  type Previewed,
  resourceSchema,
  type State,
} from "../../plugin/schema.ts";
import { GitBranch } from "../git/git.ts";
import { type GitAccess, gitAccess } from "../git/gitAccess.ts";
import { GIT_COMMIT } from "../git/gitCommitInputs.ts";
import { type Decryption, decryptsOnly } from "./encryptedFiles.ts";
import { keyAddress, parseKeyUrl } from "./keyVault.ts";

/** The schema of `gitops:index:KeyInUse`. */
export const KEY_IN_USE = resourceSchema({
  token: "gitops:index:KeyInUse",
  description:
    "Keeps a key from being deleted while files of a repository can be decrypted with nothing else. It has nothing in " +
    "the cloud. Whoever makes it depend on the key, and on who may use it, keeps those too: where another key takes " +
    "the key's place, the old one's deletion waits for the old one of this resource, whose deletion fails with the " +
    "names of the files until they are encrypted for the new key. When both are destroyed nothing is asked.",
  inputs: {
    url: GIT_COMMIT.inputs.shape.url
      .describe(
        "The repository's URL over HTTPS or SSH, without credentials: these are `GIT_TOKEN` or else, on GitHub, " +
          "`GITHUB_TOKEN`, and over SSH `GIT_SSH_KEY`, of the environment.",
      )
      .meta({ hidden: true, replaceOnChanges: false }),
    access: GIT_COMMIT.inputs.shape.access,
    branch: GIT_COMMIT.inputs.shape.branch
      .describe("The branch whose files count.")
      .meta({ hidden: true, replaceOnChanges: false }),
    keyUrl: z
      .string()
      .refine((value) => parseKeyUrl(value) !== undefined)
      .describe("`https://<vault>.vault.azure.net/keys/<name>/<version>`. Another vault or name is another key.")
      .meta({ fault: "is no key of a vault: it reads https://<vault>.vault.azure.net/keys/<name>[/<version>]" }),
    ownFiles: z
      .array(z.string())
      .describe("Paths of files that follow the key by themselves: a preview does not name them. Default: none.")
      .meta({ fault: "is not a list of paths" })
      .exactOptional(),
  },
  outputs: { instance },
});

type KeyInUseInputs = Inputs<typeof KEY_IN_USE>;
type KnownKey = Known<KeyInUseInputs, State<typeof KEY_IN_USE>>;

/** The handler of `gitops:index:KeyInUse`. */
export const keyInUse = handlerOf(KEY_IN_USE, {
  diff,
  preview: async (inputs, existing) => ({ ...existing?.state, ...inputs }),
  create: async (inputs) => ({
    id: addressOf(inputs.keyUrl),
    state: { ...inputs, instance: randomBytes(8).toString("hex") },
  }),
  update: async ({ state }, inputs) => ({ ...inputs, ...(state.instance ? { instance: state.instance } : {}) }),
  delete: remove,
});

/** Another version of a key decrypts what the key ever encrypted, so it is the same key. */
async function diff({ inputs: old }: KnownKey, next: Previewed<KeyInUseInputs>, context: Context): Promise<Diff> {
  const detailed = detailedDiff(old, next);
  const before = addressOf(old.keyUrl);
  const after = next.keyUrl === UNKNOWN ? undefined : addressOf(next.keyUrl);
  if (after === before) return { changes: Object.keys(detailed).length > 0, replaces: [], detailed };
  await announce(old, next, { by: before, notBy: after }, context);
  return { changes: true, replaces: ["keyUrl"], detailed };
}

/** Says which files will keep the old key, so that they can be encrypted for both in time. */
async function announce(
  { url, branch, access, ownFiles = [] }: KeyInUseInputs,
  next: Previewed<KeyInUseInputs>,
  decryption: Decryption,
  context: Context,
): Promise<void> {
  try {
    const place = {
      url: next.url === UNKNOWN ? url : next.url,
      branch: next.branch === UNKNOWN ? branch : next.branch,
      access: gitAccess.safeParse(next.access).data ?? access,
    };
    const files = (await filesOf(place, decryption, context)).filter((path) => !ownFiles.includes(path));
    if (files.length === 0) return;
    context.log(
      "warning",
      `another key takes the place of ${decryption.by}, and these files are encrypted for the old one: ` +
        `${files.join(", ")}. The old key stays until they are encrypted for the new one, and \`pulumi up\` fails at ` +
        "its end as long as they are not",
    );
  } catch (error) {
    context.log("debug", `which files the old key decrypts is not known: ${(error as Error).message}`);
  }
}

/** @throws Error naming the files that only this key can decrypt, though another one took its place. */
async function remove({ inputs }: KnownKey, context: Context, successor?: KnownKey): Promise<void> {
  if (successor === undefined) return;
  const [by, notBy] = [addressOf(inputs.keyUrl), addressOf(successor.inputs.keyUrl)];
  if (by === notBy) return;
  const { url, branch } = successor.inputs;
  const files = await filesOf(successor.inputs, { by, notBy }, context).catch((error: Error) => {
    throw new Error(`whether a file still needs the key ${by} is not known, so it stays: ${error.message}`, {
      cause: error,
    });
  });
  if (files.length === 0) return;
  throw new Error(
    `the key ${by} stays, with its vault and all who may use it, because branch ${branch} of ${url} has files that ` +
      `nothing else decrypts: ${files.join(", ")}. Everything works meanwhile. Encrypt them for ${notBy} too: ` +
      "`sops updatekeys FILE` where a rule of .sops.yaml is for the file, else " +
      `\`sops rotate -i --add-azure-kv ${successor.inputs.keyUrl} FILE\`. Commit, push and run \`pulumi up\` again, ` +
      "which then deletes the old key's vault",
  );
}

/** The paths of the branch's files that one key can decrypt and the other cannot, in order. */
async function filesOf(
  { url, branch, access }: Pick<KeyInUseInputs, "url" | "branch"> & { readonly access?: GitAccess | undefined },
  decryption: Decryption,
  { signal }: Context,
): Promise<string[]> {
  const remote = await GitBranch.open(url, branch, signal, access);
  try {
    const head = await remote.fetch();
    if (head === undefined) return [];
    const files = [...(await remote.tree(head))].filter(([, { mode }]) => mode.startsWith("100"));
    const texts = await remote.texts(files.map(([, { oid }]) => oid));
    return files
      .filter(([, { oid }]) => decryptsOnly(texts.get(oid) ?? "", decryption))
      .map(([path]) => path)
      .sort();
  } finally {
    await remote.close();
  }
}

/** The address of a key's URL. @throws Error where it is none. */
function addressOf(keyUrl: string): string {
  const key = parseKeyUrl(keyUrl);
  if (key === undefined) throw new Error(`${keyUrl} is no URL of a key`);
  return keyAddress(key);
}
