// A stack that a pull request does not touch any more: what its comment said is out of date.
import { marker } from "../review/render.ts";
import type { Words } from "./comment.ts";
import { commented } from "./commented.ts";
import { Log } from "./log.ts";
import type { Means } from "./run.ts";

/** Says so in the stack's comment, where there is one. @returns the exit status: nothing fails for a comment. */
export async function untouched(
  stack: string,
  {
    environment,
    system,
    projectName,
    write,
    clock,
  }: Pick<Means, "environment" | "system" | "projectName" | "write" | "clock">,
): Promise<0> {
  const log = new Log(environment, write);
  if (system.pullRequest === undefined) {
    log.say(`This run is for no pull request, so there is no comment of ${stack} to change.`);
    return 0;
  }
  const words: Words = {
    marker: marker({ project: await projectName(), stack }),
    text:
      `ℹ️ \`${stack}\`: not touched any more. What was said here is out of date: ` +
      `${system.commit === undefined ? "the pull request" : `the pull request, at \`${system.commit.slice(0, 8)}\`,`} ` +
      "changes nothing that this stack is made of.",
    ...{ run: system.run, substance: "untouched", needsSomebody: false, onlyChanges: true },
  };
  log.say(await commented(system.pullRequest, () => words, clock));
  return 0;
}
