// How git in a rehearsal signs in to the simulated Git hosts and whose commits it makes, all of it in git's environment.
import { run } from "../run.ts";
import type { IdentityName } from "../session.ts";

type Setting = readonly [key: string, value: string];

/** The settings as git reads them from its environment, where they win over those of files. */
const variables = (settings: readonly Setting[]): Record<string, string> =>
  Object.fromEntries([
    ["GIT_CONFIG_COUNT", String(settings.length)],
    ...settings.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ]);

/** Reads the token from its environment, so that it stands in no argument and in no file. */
const helper = (variable: string) =>
  `!f() { test "$1" = get && printf "username=x-access-token\\npassword=%s\\n" "$${variable}"; }; f`;

const credential: readonly Setting[] = [
  // A helper of the user's own would be asked first, and then be given the token to keep.
  ["credential.helper", ""],
  ["credential.https://github.com.helper", helper("GITHUB_TOKEN")],
  ["credential.https://dev.azure.com.helper", helper("GIT_TOKEN")],
];

/** Variables with which git signs in to github.com with `GITHUB_TOKEN`, and to dev.azure.com with `GIT_TOKEN`. */
export const signIn = variables(credential);

/**
 * As `signIn`, and commits have an author where the user's own git names none.
 * @param env the environment that git has otherwise.
 */
export async function signInAndAuthor(
  as: IdentityName,
  folder: string,
  env: Record<string, string>,
): Promise<Record<string, string>> {
  const author: Setting[] = [
    ["user.name", `rehearsal ${as}`],
    ["user.email", `${as}@rehearsal.invalid`],
  ];
  const missing: Setting[] = [];
  for (const setting of author)
    if ((await run("git", ["config", "--get", setting[0]], { cwd: folder, env })).stdout.trim() === "")
      missing.push(setting);
  return variables([...credential, ...missing]);
}
