// The policy pack: the guard rails as @pulumi/policy wants them.
import { fileURLToPath } from "node:url";
import { type Policies, PolicyPack } from "@pulumi/policy";
import { type Facts, findIn, findInStack, type Guard, messageOf, type Seen } from "./guard.ts";
import { GUARDS } from "./guards.ts";
import { openParts } from "./openParts.ts";
import { isProduction, productionStacks, stackOf } from "./production.ts";

interface Asked {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly props: Readonly<Record<string, unknown>>;
  readonly dependencies?: readonly { readonly urn: string }[];
}

const seen = ({ type, name, urn, props, dependencies = [] }: Asked): Seen => ({
  ...{ type, name, urn, props },
  dependencies: dependencies.map((other) => other.urn),
  get open() {
    return openParts(props);
  },
});

const facts = (urn: string, config: object): Facts => ({
  isProduction: isProduction(stackOf(urn)),
  today: new Date().toISOString().slice(0, 10),
  config: config as Facts["config"],
});

function policyOf(guard: Guard): Policies[number] {
  const { name, description, level, remedy, link, configSchema } = guard;
  const described = {
    ...{ name, description, enforcementLevel: level, remediationSteps: remedy, url: link },
    ...(configSchema && { configSchema }),
  };
  if ("find" in guard)
    return {
      ...described,
      validateResource: (args, report) => {
        for (const finding of findIn(guard, seen(args), facts(args.urn, args.getConfig())))
          report(messageOf(guard, finding));
      },
    };
  return {
    ...described,
    validateStack: ({ resources, getConfig }, report) => {
      const [first] = resources;
      if (first === undefined) return;
      for (const finding of findInStack(guard, resources.map(seen), facts(first.urn, getConfig())))
        report(messageOf(guard, finding), finding.urn);
    },
  };
}

// The SDK reads the pack's version from the package.json where it runs, and the runner starts a pack in its own folder.
process.chdir(fileURLToPath(new URL("..", import.meta.url)));

new PolicyPack("aks-gitops", { policies: [productionStacks, ...GUARDS.map(policyOf)] });
