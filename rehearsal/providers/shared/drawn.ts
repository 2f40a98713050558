// Resources that are drawn once and then only kept: they have no cloud, and any changed input draws anew.

import type { CheckFailure, Properties, ResourceHandler } from "../../../plugin/handler.ts";
import { type Fields, present } from "./values.ts";

export interface Drawn {
  /** What inputs are where the program gives none; a default that is given counts as no change. */
  readonly defaults: Fields;
  /** Faults of known inputs. */
  faults?(inputs: Fields): CheckFailure[];
  draw(inputs: Fields): Promise<{ id: string; state: Properties }>;
  /** Inputs and state of an import's id; without it there is nothing to import. */
  adopt?(id: string): Promise<{ id: string; inputs: Fields; state: Properties }>;
}

/** The handler of such a resource. */
export function drawn(resource: Drawn): ResourceHandler {
  return {
    async check(news) {
      const inputs = { ...resource.defaults, ...present(news) };
      return { inputs, failures: resource.faults?.(inputs) ?? [] };
    },
    create: (inputs) => resource.draw(inputs),
    async read(id, inputs, state, context) {
      if (Object.keys(state).length > 0) return { id, inputs, state };
      if (resource.adopt === undefined) throw new Error(`${context.type} cannot be imported`);
      return resource.adopt(id);
    },
  };
}
