import { describe } from "../../../net/describe.ts";
import { check, stops } from "../check.ts";

export const program = check({
  name: "program",
  about: "whether the program comes to its end with the lock of charts and images: what `pulumi up` would say first",
  needs: ["settings"],
  find: async ({ place: { stack }, attempts }) => {
    const plan = await attempts.plan();
    if ("value" in plan) return [];
    const { name, message } = plan.error as Error;
    if (name === "LockError") {
      const [problem = "", ...remedy] = message.split(" Run: ");
      return [
        stops({ key: `mirror.${stack}.lock.json`, problem: told(problem), remedy: `run \`${remedy.join("")}\`` }),
      ];
    }
    return [
      stops({
        key: "the program",
        problem: `ends before anything is made: ${told(describe(plan.error))}`,
        remedy: "do what it says",
      }),
    ];
  },
});

/** A sentence that follows a key. */
const told = (text: string) => text.trim().replace(/\.$/, "");
