// What is recorded of a request: everything but secrets, in a shape that is still valid.
import { isObject } from "./validate.ts";

const REDACTED = "[redacted]";

/** Names of members whose text nobody may read; members of protected settings are all secret. */
const SECRET = /password|secret$|privatekey|accesskey|accountkey|sastoken/i;

/** A copy of a body with every secret replaced. */
export function redact(value: unknown, inside = false): unknown {
  if (Array.isArray(value)) return value.map((item) => redact(item, inside));
  if (isObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => {
        const hide = inside || name === "configurationProtectedSettings";
        return [name, SECRET.test(name) && typeof item === "string" ? REDACTED : redact(item, hide)];
      }),
    );
  return inside && value !== null ? REDACTED : value;
}
