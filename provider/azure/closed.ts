// What a refresh takes for granted where it may not look: what lies in somebody else's scope, as a hub's network does.

import type { Context } from "../../plugin/handler.ts";
import { isUnauthorized } from "./patience.ts";

/** A resource as a refresh finds it. */
interface Found<Inputs, State> {
  readonly id: string;
  readonly inputs: Inputs;
  readonly state: State;
}

/**
 * Looks at a resource; what may not be read counts as known, and that is told.
 * @param known undefined for an import, of which nothing is known.
 * @throws ArmError
 */
export async function lookedAt<Inputs, State>(
  id: string,
  known: Omit<Found<Inputs, State>, "id"> | undefined,
  { log }: Context,
  look: () => Promise<Found<Inputs, State> | undefined>,
): Promise<Found<Inputs, State> | undefined> {
  try {
    return await look();
  } catch (error) {
    if (known === undefined || !isUnauthorized(error)) throw error;
    log("warning", `${id} was not looked at, so it counts as before: ${error.message}`);
    return { id, inputs: known.inputs, state: known.state };
  }
}
