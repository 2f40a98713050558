// Runs the checks: what most of them need is found out once, and a check that cannot look says so.

import { describe } from "../../net/describe.ts";
import { SECRET_KEYS } from "../../settings/check.ts";
import { examineSettings } from "../../settings/parse.ts";
import { readStackFile } from "../../settings/stackFile.ts";
import { signIn } from "./azure.ts";
import {
  type Attempts,
  type Check,
  type Finding,
  type Known,
  type Need,
  type Place,
  type Tried,
  warns,
} from "./check.ts";
import { opened } from "./program.ts";

/** What came of one check. */
export interface Outcome {
  readonly check: Pick<Check, "name" | "about">;
  readonly findings: readonly Finding[];
  /** What it would have needed; absent where it looked. */
  readonly lacks?: readonly Need[];
}

/** Runs all checks at once. @returns their outcomes in the order of the checks. */
export function examine(place: Place, checks: readonly Check[]): Promise<readonly Outcome[]> {
  const attempts = attemptsAt(place);
  return Promise.all(checks.map((check) => outcomeOf(check, place, attempts)));
}

async function outcomeOf(check: Check, place: Place, attempts: Attempts): Promise<Outcome> {
  const tried = await Promise.all(check.needs.map(async (need) => [need, await attempts[need]()] as const));
  const lacks = tried.flatMap(([need, one]) => ("error" in one ? [need] : []));
  if (lacks.length > 0) return { check, findings: [], lacks };
  const known = Object.fromEntries(tried.flatMap(([need, one]) => ("value" in one ? [[need, one.value]] : [])));
  try {
    // Just what it needs is there, and its type knows no more.
    return { check, findings: await check.find({ place, attempts, ...(known as unknown as Known) }) };
  } catch (error) {
    const problem = `could not look to the end: ${describe(error)}`;
    const remedy = "run it again; where the caller may not read, give it the role Reader on the subscription";
    return { check, findings: [warns({ key: check.name, problem, remedy })] };
  }
}

/** How to find out what most checks need. */
function attemptsAt({ environment, project, stack, reach }: Place): Attempts {
  const source = once(() => readStackFile(project, stack));
  const settings = once(async () => {
    const file = given(await source());
    const { settings } = examineSettings(file);
    // What the file should hold as a secret and does not, is told where secrets count as opened.
    examineSettings({ ...file, config: opened(file.config), secretKeys: SECRET_KEYS, sealed: false });
    return settings;
  });
  const azure = once(async () => {
    const file = await source();
    // Whoever signs in does so without a file, too.
    return signIn(reach, environment, "value" in file ? file.value.config["azure-native:subscriptionId"] : undefined);
  });
  const planned = once(async () => {
    const { project: projectName, config } = given(await source());
    given(await settings());
    const signedIn = await azure();
    const arm = "value" in signedIn ? signedIn.value : undefined;
    return reach.plan({
      ...{ project, projectName, stack, config },
      // Nothing that is looked at without a sign-in depends on them.
      subscriptionId: arm?.subscriptionId ?? NOBODY,
      tenantId: arm?.caller.tenantId ?? NOBODY,
      readNetwork: async (id) => arm && (await arm.find(id, NETWORKS).catch(() => undefined)),
    });
  });
  return { settings, azure, plan: planned };
}

const NOBODY = "00000000-0000-0000-0000-000000000000";
const NETWORKS = "2024-05-01";

/** Tries something when it is asked for first. */
function once<T>(action: () => Promise<T>): () => Promise<Tried<T>> {
  let trying: Promise<Tried<T>> | undefined;
  return () => {
    trying ??= action().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    return trying;
  };
}

function given<T>(tried: Tried<T>): T {
  if ("error" in tried) throw tried.error;
  return tried.value;
}
