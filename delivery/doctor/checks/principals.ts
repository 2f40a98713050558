import { type Azure, isForbidden } from "../azure.ts";
import { check, type Finding, stops, warns } from "../check.ts";
import { type Plan, UNKNOWN } from "../program.ts";

/** A password that ends within this many days is told: time enough for an update that makes the next one. */
const SOON = 14;
const DAY = 24 * 3600 * 1000;

interface Application {
  readonly appId: string;
  readonly tags?: readonly string[];
  readonly passwordCredentials?: readonly { readonly endDateTime?: string }[];
}

export const principals = check({
  name: "principals",
  about: `where the stack makes service principals: whether the caller may, and whether the newest password ends within ${SOON} days`,
  needs: ["azure", "plan"],
  find: async ({ place: { reach }, azure, plan }) =>
    (await Promise.all(namesOf(plan).map((name) => look(azure, name, reach.now())))).flat(),
});

/** The names of the applications that a plan makes. */
const namesOf = ({ resources }: Plan) =>
  resources
    .filter(({ type }) => type === "azuread:index/application:Application")
    .flatMap(({ inputs: { displayName } }) =>
      typeof displayName === "string" && displayName !== UNKNOWN ? [displayName] : [],
    );

async function look(azure: Azure, name: string, now: Date): Promise<Finding[]> {
  const key = `the service principal ${name}`;
  let found: readonly Application[];
  try {
    const filter = encodeURIComponent(`displayName eq '${name.replaceAll("'", "''")}'`);
    found = ((await azure.graph(`/applications?$filter=${filter}`)).value ?? []) as readonly Application[];
  } catch (error) {
    if (!isForbidden(error)) throw error;
    const problem = `cannot be made by ${azure.caller.objectId}: Microsoft Graph does not let it look at applications`;
    const remedy = "an administrator gives it Application.ReadWrite.OwnedBy: the end of docs/delivery/identity.md";
    return [stops({ key, problem, remedy })];
  }
  // components/shared/servicePrincipal.ts: by the tag it is this project's own.
  const own = found.filter(({ tags = [] }) => tags.some((tag) => tag.startsWith(`aks-gitops:${name}-`)));
  return own.flatMap(({ appId, passwordCredentials = [] }) => {
    const ends = passwordCredentials.flatMap(({ endDateTime }) => endDateTime ?? []).sort();
    const newest = ends.at(-1);
    if (newest === undefined || Date.parse(newest) - now.getTime() > SOON * DAY) return [];
    const isOver = Date.parse(newest) <= now.getTime();
    const problem = isOver ? "has no password that is still good" : `has no password that is good in ${SOON} days`;
    const remedy = "run `pulumi up`, which makes the next one, and look that it runs on a schedule";
    return [warns({ key: `${key} (${appId})`, value: newest, problem, remedy })];
  });
}
