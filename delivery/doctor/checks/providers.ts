import { armTypes, namespacesOf } from "../armTypes.ts";
import { check, stops } from "../check.ts";

export const providers = check({
  name: "providers",
  about: "whether the subscription has registered the resource providers of everything that the stack makes",
  needs: ["azure", "plan"],
  find: async ({ azure, plan }) => {
    const needed = namespacesOf(armTypes(plan));
    const all = await azure.list(`${azure.root}/providers`, "2021-04-01");
    const states = new Map(all.map((one) => [String(one.namespace).toLowerCase(), String(one.registrationState)]));
    return needed.flatMap((namespace) => {
      const state = states.get(namespace.toLowerCase()) ?? "unknown here";
      if (state === "Registered") return [];
      const problem = `is not registered in subscription ${azure.subscriptionId}`;
      const remedy = `run \`az provider register --namespace ${namespace} --subscription ${azure.subscriptionId} --wait\``;
      return [stops({ key: namespace, value: state, problem, remedy })];
    });
  },
});
