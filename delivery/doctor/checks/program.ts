import { LockError, lockName, readLock } from "../../../mirror/lock.ts";
import { describe } from "../../../net/describe.ts";
import { check, stops } from "../check.ts";

export const program = check({
  name: "program",
  about: "whether the program comes to its end with the lock of charts and images: what `pulumi up` would say first",
  needs: ["settings"],
  find: async ({ place: { project, stack }, attempts, settings }) => {
    try {
      await readLock(project, settings);
    } catch (error) {
      if (!(error instanceof LockError)) throw error;
      const [problem = "", remedy = ""] = error.message.split(" Run: ");
      return [stops({ key: lockName(stack), problem: told(problem), remedy: `run \`${remedy}\`` })];
    }
    const plan = await attempts.plan();
    if ("value" in plan) return [];
    const problem = `ends before anything is made: ${told(describe(plan.error))}`;
    return [stops({ key: "the program", problem, remedy: "do what it says" })];
  },
});

/** A sentence that follows a key. */
const told = (text: string) => text.trim().replace(/\.$/, "");
