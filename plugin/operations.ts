// What is under way: every operation has a signal that the engine's Cancel or the resource's timeout aborts.

import type { EngineLog } from "./engineLog.ts";
import type { Context } from "./handler.ts";

/** The fields that the engine's requests about a resource have in common. */
interface ResourceRequest {
  getUrn(): string;
  getType?(): string;
  getName?(): string;
  getPreview?(): boolean;
  /** Seconds; 0 when the resource has no custom timeout. */
  getTimeout?(): number;
}

/** The operations of one plugin process. */
export class Operations {
  readonly #running = new Set<AbortController>();
  readonly #log: EngineLog;

  constructor(log: EngineLog) {
    this.#log = log;
  }

  /**
   * Runs one operation with a context of its own and settles after the engine has its messages, so that they are shown
   * before the resource's outcome.
   * @throws what the operation throws; a clear Error where it stopped because of its signal.
   */
  async run<T>(request: ResourceRequest, operation: (context: Context) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const seconds = request.getTimeout?.() ?? 0;
    const timer =
      seconds > 0
        ? setTimeout(() => controller.abort(new Error(`not done within its timeout of ${seconds} s`)), seconds * 1000)
        : undefined;
    const messages: Promise<void>[] = [];
    const urn = request.getUrn();
    const context: Context = {
      urn,
      type: request.getType?.() || typeOfUrn(urn),
      name: request.getName?.() || urn.slice(urn.lastIndexOf("::") + 2),
      preview: request.getPreview?.() ?? false,
      signal: controller.signal,
      log: (severity, message) => messages.push(this.#log.send(severity, message, urn)),
    };
    this.#running.add(controller);
    try {
      return await operation(context);
    } catch (error) {
      throw isAbort(error) && controller.signal.aborted ? controller.signal.reason : error;
    } finally {
      clearTimeout(timer);
      this.#running.delete(controller);
      await Promise.all(messages);
    }
  }

  /** Aborts the signal of everything that runs now; what comes later is not affected. */
  cancel(): void {
    for (const controller of this.#running) controller.abort(new Error("cancelled"));
  }
}

/** `urn:pulumi:stack::project::parent$type::name`: the type is the last of the chain. */
function typeOfUrn(urn: string): string {
  const chain = urn.split("::")[2] ?? "";
  return chain.slice(chain.lastIndexOf("$") + 1);
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
