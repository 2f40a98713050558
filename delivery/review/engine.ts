// Runs the real engine through Pulumi's Automation API, and keeps what it tells.
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type EngineEvent,
  LocalWorkspace,
  type PulumiCommand,
  Stack,
  StackNotFoundError,
} from "@pulumi/pulumi/automation/index.js";
import type { Reviewable } from "./model.ts";
import { findPulumi } from "./pulumi.ts";
import { secretsIn, secretsOf } from "./secrets.ts";

/** A resource of a stack's state, as far as a review needs it. */
export interface StateResource {
  readonly urn: string;
  /** Which resources each property came from, by their URNs. */
  readonly propertyDependencies?: Readonly<Record<string, readonly string[] | null>>;
  readonly dependencies?: readonly string[];
  /** The resource whose deletion deletes it too. */
  readonly deletedWith?: string;
}

/** What a stack holds. */
export interface StackState {
  readonly resources: readonly StateResource[];
  /** Every secret of its state and its configuration, in plain text: for masking alone. */
  readonly secrets: readonly string[];
}

/** What the engine told of an operation. */
export interface EngineRun {
  readonly events: readonly EngineEvent[];
  /** What the command printed, where it failed. */
  readonly failure?: string;
}

export interface RunOptions {
  readonly operation: Reviewable;
  readonly policyPacks: readonly string[];
  /** Each line that the engine prints. */
  readonly onOutput: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * A stack of the project in a folder, without selecting it: that would change which one the user works on.
 * @param pulumi where it is looked for already. @default it is looked for here
 * @throws Error where there is no such project or no pulumi
 */
export async function openStack(name: string, project: string, pulumi?: Promise<PulumiCommand>): Promise<Stack> {
  if (!existsSync(join(project, "Pulumi.yaml")))
    throw new Error(`${project} holds no Pulumi.yaml. Name the project's folder: --project FOLDER`);
  const workspace = await LocalWorkspace.create({ workDir: project, pulumiCommand: await (pulumi ?? findPulumi()) });
  workspace.selectStack = async () => {};
  return Stack.select(name, workspace);
}

/**
 * What the stack holds now.
 * @throws Error where there is no such stack; CommandError where its state or secrets cannot be read
 */
export async function stateOf(stack: Stack): Promise<StackState> {
  const [exported, config] = await Promise.all([stack.exportStack(), stack.getAllConfig()]).catch((cause: Error) => {
    if (!(cause instanceof StackNotFoundError)) throw cause;
    // Without the cause: what pulumi printed says no more.
    throw new Error(`There is no stack ${stack.name}. Make it: pulumi stack init ${stack.name}`);
  });
  const { resources = [] } = exported.deployment as { resources?: StateResource[] };
  const configured = Object.values(config).flatMap(({ secret, value }) => (secret ? secretsOf(value) : []));
  return { resources, secrets: [...secretsIn(resources), ...configured] };
}

/** Runs a preview or an update, however it ends. For drift a preview looks at all that is there first. */
export async function runOperation(stack: Stack, options: RunOptions): Promise<EngineRun> {
  const { operation, policyPacks, onOutput, signal } = options;
  const events: EngineEvent[] = [];
  const lines = byLine(onOutput);
  const shared = {
    // Those for debugging hold all properties of all resources, and nobody reads them.
    onEvent: (event: EngineEvent) => {
      if ((event.diagnosticEvent?.severity as string) !== "debug") events.push(event);
    },
    onOutput: lines.take,
    onError: lines.take,
    color: "never" as const,
    policyPacks: [...policyPacks],
    ...(signal && { signal }),
  };
  try {
    if (operation === "up") await stack.up(shared);
    else await stack.preview({ ...shared, refresh: operation === "drift" });
    return { events };
  } catch (error) {
    // After an update the outputs are read, which nobody asked for.
    const isDone = events.some(({ summaryEvent }) => (summaryEvent as Ended | undefined)?.result === "succeeded");
    return isDone ? { events } : { events, failure: (error as Error).message };
  } finally {
    lines.end();
  }
}

/** What the SDK's type lacks: how it ended. */
interface Ended {
  readonly result?: string;
}

/** Gives whole lines of a text that comes in pieces. */
function byLine(line: (text: string) => void) {
  let rest = "";
  return {
    take(piece: string) {
      const parts = (rest + piece).split(/\r?\n/);
      rest = parts.pop() ?? "";
      for (const part of parts) line(part);
    },
    end() {
      if (rest !== "") line(rest);
      rest = "";
    },
  };
}
