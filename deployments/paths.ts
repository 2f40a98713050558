// Which files of the program's repository a stack is made of, as Pulumi Deployments' path filters name them.

/** Files at the root that every stack is made of. */
const FILES = ["Pulumi.yaml", "index.ts", "package.json", "package-lock.json"];
/** The rooms that index.ts and the plugin reach, and the policies that a preview asks. */
const ROOMS = ["components", "flux", "mirror", "net", "plugin", "policy", "provider", "settings", "tools"];

/**
 * Path filters of a stack. None takes away: a file that one takes away, no other can bring back
 * (https://www.pulumi.com/docs/deployments/concepts/settings/path-filtering/).
 */
export const pathsOf = (stack: string): string[] => [
  `Pulumi.${stack}.yaml`,
  `mirror.${stack}.lock.json`,
  ...FILES,
  ...ROOMS.map((room) => `${room}/**`),
];
