// A provider whose cloud is a folder (TEST_STORE): one JSON file for each Thing. It shows what server.ts offers.

import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  INSTANCE,
  PartialFailure,
  type Properties,
  type ResourceHandler,
  Secret,
  UNKNOWN,
} from "../../../plugin/handler.ts";
import { serve } from "../../../plugin/server.ts";

const store = process.env.TEST_STORE ?? "";
const fileOf = (id: string) => join(store, `${id}.json`);

async function save(inputs: Properties): Promise<Properties> {
  await mkdir(store, { recursive: true });
  await writeFile(fileOf(String(inputs.name)), JSON.stringify(inputs));
  return outputsOf(inputs);
}

function outputsOf(inputs: Properties): Properties {
  const shout = inputs.value === UNKNOWN ? UNKNOWN : String(inputs.value).toUpperCase();
  return { ...inputs, shout, token: new Secret(`token-of-${String(inputs.name)}`) };
}

const thing: ResourceHandler = {
  async check(inputs, old, _context, seed) {
    const value = inputs.value;
    const fault = value === "" ? [{ property: "value", reason: `value "" is empty: give at least one letter` }] : [];
    const name = inputs.name ?? old?.name ?? `auto-${Buffer.from(seed).toString("hex").slice(0, 4)}`;
    return { inputs: { ...inputs, name }, failures: fault };
  },
  async preview(inputs) {
    return { ...outputsOf(inputs), token: UNKNOWN };
  },
  async diff({ inputs: old }, next) {
    return { changes: !isDeepStrictEqual(old, next), replaces: old.name === next.name ? [] : ["name"] };
  },
  async create(inputs, context) {
    context.log("info", `making ${context.name} of ${context.type}`);
    if (inputs.value === "refuse") throw new Error("the cloud refuses", { cause: new Error("no quota") });
    if (inputs.value === "wait") {
      await new Promise((_, reject) => {
        const poll = setInterval(() => {}, 1000);
        context.signal.addEventListener("abort", () => {
          clearInterval(poll);
          reject(new DOMException("stopped", "AbortError"));
        });
      });
    }
    const state = await save(inputs);
    const id = String(inputs.name);
    if (inputs.value === "half") throw new PartialFailure(id, state, ["it never became ready"]);
    return { id, state };
  },
  async read(id) {
    try {
      const inputs = JSON.parse(await readFile(fileOf(id), "utf8")) as Properties;
      return { id, inputs, state: outputsOf(inputs) };
    } catch {
      return undefined;
    }
  },
  async update(_existing, inputs) {
    return save(inputs);
  },
  async delete({ id }) {
    await rm(fileOf(id), { force: true });
  },
};

/** Has neither check, diff, preview, read, update nor delete. */
const bare: ResourceHandler = {
  async create(inputs) {
    return { id: "bare", state: inputs };
  },
};

/**
 * A Thing that takes over what stands under its name. Its deletion writes down who followed it, and waits while there is a
 * file `hold`.
 */
const shared: ResourceHandler = {
  ...thing,
  async create(inputs, context) {
    const id = String(inputs.name);
    const state = { ...(await save(inputs)), [INSTANCE]: randomUUID() };
    if (inputs.value === "half") throw new PartialFailure(id, state, [`${context.name} never became ready`]);
    return { id, state };
  },
  async update({ state }, inputs) {
    return { ...(await save(inputs)), [INSTANCE]: state[INSTANCE] };
  },
  async delete({ id }, _context, successor) {
    await appendFile(join(store, "followed"), `${successor?.id ?? "nothing"}\n`);
    while (existsSync(join(store, "hold"))) {
      await writeFile(join(store, "held"), "");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (successor?.id !== id) await rm(fileOf(id), { force: true });
  },
};

await serve({
  name: "test",
  version: "1.2.3",
  resource: (token) => ({ "test:index:Thing": thing, "test:index:Bare": bare, "test:index:Shared": shared })[token],
  async invoke(token, args) {
    if (token !== "test:index:echo") throw new Error(`no function ${token}`);
    return { said: args.say };
  },
});
