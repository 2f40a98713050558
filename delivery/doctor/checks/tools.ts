import { CATALOGUE, versionFits } from "../../../tools/catalogue.ts";
import { check, type Finding, type Place, stops, warns } from "../check.ts";

/** The oldest Node.js that runs the program as it is written. */
const NODE = 24;

export const tools = check({
  name: "tools",
  about: "Node.js, pulumi and git in a version that fits, and what an update would download first",
  find: async ({ place, attempts }) => {
    const settings = await attempts.settings();
    const isBootstrap = "value" in settings && settings.value.flux.mode === "bootstrap";
    return [
      ...node(place),
      ...(await pulumi(place)),
      ...(await git(place)),
      // Its manifests are what the update commits.
      ...(isBootstrap ? await flux(place) : []),
    ];
  },
});

function node({ node: version }: Place): Finding[] {
  if (Number(version.split(".")[0]) >= NODE) return [];
  const remedy = 'install a newer one, or put the project\'s own first: PATH="$PWD/node_modules/.bin:$PATH"';
  return [
    stops({ key: "node", value: version, problem: `is older than ${NODE}, and does not run the program`, remedy }),
  ];
}

async function pulumi({ reach }: Place): Promise<Finding[]> {
  const { fits } = CATALOGUE.pulumi;
  const remedy =
    "install it (https://www.pulumi.com/docs/install), or put the folder of `npm run --silent tools -- pulumi` on PATH";
  if (!reach.hasProgram("pulumi")) {
    const problem = "is not on PATH; `npm run ci` finds one by itself, a person's `pulumi up` does not";
    return [warns({ key: "pulumi", problem, remedy })];
  }
  const version = (await reach.run("pulumi", ["version"]))?.stdout.trim() ?? "";
  if (fits === undefined || versionFits(version, fits)) return [];
  const problem = `is not of a version from ${fits.from} to below ${fits.below}`;
  return [stops({ key: "pulumi", value: version || "none that it says", problem, remedy })];
}

async function git({ reach }: Place): Promise<Finding[]> {
  if ((await reach.run("git", ["--version"]))?.code === 0) return [];
  const problem = "is not on PATH, and the program writes the GitOps repository with it";
  return [stops({ key: "git", problem, remedy: "install it: https://git-scm.com/downloads" })];
}

async function flux({ reach }: Place): Promise<Finding[]> {
  if ((await reach.atHand("flux")) !== undefined) return [];
  const problem = "is neither on PATH nor in the cache: the update downloads it first, or builds it with Go";
  return [warns({ key: "flux", value: CATALOGUE.flux.version, problem, remedy: "run `npm run tools -- flux` before" })];
}
