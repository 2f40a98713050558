// Which of a resource's properties are no secrets. The SDK opens secrets before a policy sees them and does not say which
// they were (@pulumi/policy 1.21, deserialize.js): this listens where it reads what the engine has sent.
import deserialize from "@pulumi/policy/deserialize.js";
import { known } from "./guard.ts";

/** The mark of a value that is no plain one, be it a secret, a file or a reference: sdk/nodejs/runtime/rpc.ts. */
const MARK = "4dabf18193072939515e22adb298388d";

/** What the SDK gives for a value that its proxy stands before: that value. */
const BEHIND_PROXY = "__getSpecialProxyTarget";

interface Sent {
  toJavaScript(): Record<string, unknown>;
}

const reader = deserialize as unknown as {
  deserializeProperties(sent: Sent, keepSecrets: boolean): object;
};
const sentOf = new WeakMap<object, Sent>();
const read = reader.deserializeProperties;
reader.deserializeProperties = (sent, keepSecrets) => {
  const props = read(sent, keepSecrets);
  sentOf.set(props, sent);
  return props;
};

/**
 * The properties without secrets, files and what is not known yet.
 * @returns undefined where the SDK reads in another way than it did, so that nobody can tell what is a secret.
 */
export function openParts(props: Readonly<Record<string, unknown>>): unknown {
  const sent = sentOf.get(props[BEHIND_PROXY] as object);
  return sent === undefined ? undefined : parts(sent.toJavaScript(), props);
}

function parts(sent: unknown, props: unknown): unknown {
  if (typeof sent !== "object" || sent === null) return props;
  if (MARK in sent) return undefined;
  const inside = (key: string | number, value: unknown) => {
    const own = known(() => (props as Record<string | number, unknown>)[key]);
    return own === undefined ? undefined : parts(value, own);
  };
  if (Array.isArray(sent)) return sent.map((item, index) => inside(index, item));
  return Object.fromEntries(Object.entries(sent).map(([key, item]) => [key, inside(key, item)]));
}
