import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostOf } from "../../../net/gitAddress.ts";
import { findCredential } from "../../../net/gitCredential.ts";
import { publishedKeys } from "../../../net/knownHosts.ts";
import type { FluxSettings } from "../../../settings/types.ts";
import { check, type Finding, type Place, stops } from "../check.ts";

export const git = check({
  name: "git",
  about: "on hosts other than GitHub: whether git lists the repository's branches with the program's credential",
  needs: ["settings"],
  find: async ({ place, settings: { flux } }) => {
    if (flux.owner !== undefined || flux.commit?.githubApp !== undefined) return [];
    const folder = await mkdtemp(join(tmpdir(), "aks-gitops-doctor-"));
    try {
      return await look(place, flux, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
});

async function look({ reach, environment }: Place, flux: FluxSettings, folder: string): Promise<Finding[]> {
  const { repository: value } = flux;
  const key = "aks-gitops:flux.repository";
  const how = value.startsWith("https://") ? overHttps(flux, environment) : await overSsh(flux, environment, folder);
  if (how === undefined) return []; // that the credential is missing, the environment's check says
  const ran = await reach.run("git", ["ls-remote", "--heads", value], { ...environment, ...QUIET, ...how.variables });
  if (ran === undefined || ran.code === 0) return [];
  // A host's own words may come on several lines; git's are the last.
  const words =
    ran.stderr
      .trim()
      .split("\n")
      .filter((line) => !line.startsWith("warning:"))
      .at(-1) ?? "";
  const problem = `is not read with ${how.name}: ${words.replace(/^fatal: /, "").replace(/\.$/, "")}`;
  return [
    stops({
      key,
      value,
      problem,
      remedy: `correct the address, or give ${how.name} the right to read and write there`,
    }),
  ];
}

/** git asks nobody, and tells in English. */
const QUIET = { GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };

interface Way {
  readonly name: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** The token stands in a variable alone, and not in an argument that everybody on the machine may see. */
function overHttps(flux: FluxSettings, environment: Place["environment"]): Way | undefined {
  const given = findCredential(flux.repository, flux.commit, environment);
  if (given === undefined) return undefined;
  const helper = `!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "${given.username}" "$AKS_GITOPS_GIT_TOKEN"; }; f`;
  const settings = [
    // A helper of the user's own would be asked first, and be given the token to keep.
    ["credential.helper", ""],
    ["credential.helper", helper],
  ] as const;
  return {
    name: given.variable,
    variables: {
      AKS_GITOPS_GIT_TOKEN: given.token,
      GIT_CONFIG_COUNT: String(settings.length),
      ...Object.fromEntries(
        settings.flatMap(([name, text], index) => [
          [`GIT_CONFIG_KEY_${index}`, name],
          [`GIT_CONFIG_VALUE_${index}`, text],
        ]),
      ),
    },
  };
}

async function overSsh(flux: FluxSettings, environment: Place["environment"], folder: string): Promise<Way> {
  const given = findCredential(flux.repository, flux.commit, environment);
  const hosts = flux.knownHosts ?? publishedKeys(hostOf(flux.repository));
  const known = join(folder, "known_hosts");
  if (hosts !== undefined) await writeFile(known, `${hosts.trim()}\n`);
  const options = [
    "-o BatchMode=yes",
    ...(hosts === undefined ? [] : [`-o UserKnownHostsFile=${known}`, "-o StrictHostKeyChecking=yes"]),
  ];
  if (given === undefined)
    return { name: "the keys that SSH has", variables: { GIT_SSH_COMMAND: ["ssh", ...options].join(" ") } };
  const file = join(folder, "key");
  await writeFile(file, `${given.token.trim()}\n`, { mode: 0o600 });
  const command = ["ssh", "-i", file, "-o IdentitiesOnly=yes", ...options].join(" ");
  return { name: given.variable, variables: { GIT_SSH_COMMAND: command } };
}
