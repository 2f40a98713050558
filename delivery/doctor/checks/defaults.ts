import { UnknownValueError } from "@pulumi/policy";
import { isMap } from "../../../net/values.ts";
import { type Facts, findIn, findInStack, type Guard, type Seen } from "../../../policy/guard.ts";
import { GUARDS } from "../../../policy/guards.ts";
import { isProduction } from "../../../policy/production.ts";
import { check, type Finding, warns } from "../check.ts";
import { type Planned, UNKNOWN } from "../program.ts";

export const defaults = check({
  name: "defaults",
  about: "where the stack departs from what is expected of it: the guard rails of the policy pack (docs/policy.md)",
  needs: ["plan"],
  find: ({ place: { stack, reach }, plan: { resources } }) => {
    const all = resources.map(seen);
    const facts: Facts = {
      isProduction: isProduction(stack),
      today: reach.now().toISOString().slice(0, 10),
      config: {},
    };
    return GUARDS.flatMap((guard) => departures(guard, all, facts));
  },
});

function departures(guard: Guard, all: readonly Seen[], facts: Facts): Finding[] {
  const found =
    "find" in guard
      ? all.flatMap((one) => findIn(guard, one, facts).map(({ problem }) => ({ problem, urn: one.urn })))
      : findInStack(guard, all, facts);
  const refused = guard.level === "mandatory" ? "; the policy pack, where it is on, refuses it" : "";
  return found.map(({ problem, urn }) => {
    const one = all.find((other) => other.urn === urn);
    return warns({
      key: one ? `${one.type.split(":").at(-1)} ${one.name}` : "the stack",
      problem: `departs from ${guard.name}: ${problem}. ${guard.description.replace(/\.$/, "")}${refused}`,
      remedy: `${guard.remedy} (${guard.link})`,
    });
  });
}

/** A planned resource as a guard sees it: reading what is not known yet ends the looking, as in a preview. */
function seen({ type, name, urn, inputs, secrets, dependencies }: Planned): Seen {
  const open = Object.entries(inputs).filter(([key]) => !secrets.includes(key));
  return {
    ...{ type, name, urn, dependencies },
    props: guarded(inputs) as Seen["props"],
    open: without(Object.fromEntries(open)),
  };
}

function guarded(value: unknown): unknown {
  if (Array.isArray(value)) return withGetters(value, []);
  return isMap(value) ? withGetters(value, {}) : value;
}

function withGetters(from: object, onto: object): object {
  for (const [key, value] of Object.entries(from)) {
    const get = () => {
      if (value === UNKNOWN) throw new UnknownValueError(UNKNOWN, [key]);
      return guarded(value);
    };
    Object.defineProperty(onto, key, { get, enumerable: true });
  }
  return onto;
}

/** The same without what is not known yet. */
function without(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => item !== UNKNOWN).map(without);
  if (!isMap(value)) return value;
  const known = Object.entries(value).filter(([, item]) => item !== UNKNOWN);
  return Object.fromEntries(known.map(([key, item]) => [key, without(item)]));
}
