// What of a chart says something else in another rendering though nobody asked for it.
import type { RenderedObject } from "./render.ts";
import { formatPath, walk } from "./tree.ts";

/** Template functions that say something else each time. */
const RESTLESS =
  /\b(rand(Alpha|AlphaNum|Ascii|Numeric|Int|Bytes)|uuidv4|now|gen(CA|SelfSignedCert|SignedCert|PrivateKey)\w*|htpasswd|bcrypt|shuffle|encryptAES)\b/;

/** Whether a chart's templates may say something else each time. */
export function isRestless(templates: string): boolean {
  return RESTLESS.test(templates);
}

/** A name that ends with what may be a sum, as a Job's does that is to run again when the chart's values change. */
const SUMMED = /[-.](?=[a-z]*\d)[0-9a-z]{7,}$/;

/** Whether an object may be called otherwise as soon as any value is another. */
export function mayHoldSum({ body }: RenderedObject): boolean {
  const { name } = (body.metadata ?? {}) as { name?: unknown };
  return typeof name === "string" && SUMMED.test(name);
}

/** Names the places where two renderings differ: `<object's id> <path>`. */
export function changedPlaces(one: readonly RenderedObject[], other: readonly RenderedObject[]): Set<string> {
  const [here, there] = [leaves(one, other), leaves(other, one)];
  const changed = new Set<string>();
  for (const place of new Set([...here.keys(), ...there.keys()]))
    if (here.get(place) !== there.get(place)) changed.add(place);
  return changed;
}

/** What stands at each place of the objects whose text another rendering lacks. */
function leaves(objects: readonly RenderedObject[], others: readonly RenderedObject[]): Map<string, unknown> {
  const texts = new Map(others.map(({ id, text }) => [id, text]));
  const found = new Map<string, unknown>();
  for (const { id, text, body } of objects) {
    if (texts.get(id) === text) continue;
    walk(body, (value, path) => {
      if (typeof value !== "object" || value === null) found.set(`${id} ${formatPath(path)}`, value);
      return true;
    });
  }
  return found;
}
