// How the doctor looks at the world.

import type { LockedChart } from "../../mirror/lock.ts";
import type { Answer } from "../../net/http.ts";
import type { Environment } from "../../net/signIn.ts";
import type { BranchFiles, BranchPlace } from "../../provider/git/branch.ts";
import type { ToolName } from "../../tools/catalogue.ts";
import type { ToolAtHand } from "../../tools/findTool.ts";
import type { Plan, Program } from "./program.ts";

/** How a program ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What looks at the world; tests have their own. */
export interface Reach {
  /** Sends one request and follows no redirect to another place; a fault of the connection is an error. */
  send(url: string, init?: RequestInit): Promise<Answer>;
  /** A token of Entra for a scope such as `https://graph.microsoft.com/.default`. @throws Error */
  token(scope: string): Promise<string>;
  /** A tool of the catalogue, where it is on PATH or in the cache: nothing is downloaded. */
  atHand(tool: ToolName): Promise<ToolAtHand | undefined>;
  hasProgram(name: string): boolean;
  /** Runs a program; undefined where there is none of that name. */
  run(command: string, args: readonly string[], environment?: Environment): Promise<Ran | undefined>;
  /** Runs the stack's program for what it would ask for. @throws Error in its own words */
  plan(program: Program): Promise<Plan>;
  /** Looks at the files of a branch with the program's own credential. @throws Error that says what keeps it from that */
  readBranch<T>(place: BranchPlace, look: (files: BranchFiles) => Promise<T>): Promise<T>;
  /** A chart's archive, the very one that was locked. @throws Error that says why it cannot be had */
  chart(locked: LockedChart): Promise<Buffer>;
  now(): Date;
}
