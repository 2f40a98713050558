// The stacks that are shipped keep to the guard rails: what index.ts makes of their settings, every resource of it.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "mocha";
import { parse } from "yaml";
import { findIn, findInStack, type Seen } from "../../policy/guard.ts";
import { GUARDS } from "../../policy/guards.ts";
import type { Deployment } from "../components/deployment.ts";
import { run } from "../components/programRun.ts";
import { ROOT } from "../support/engine.ts";

/** A stack file's own settings, with the token that its owner sets as a secret. */
function settingsOf(stack: string): Record<string, unknown> {
  const { config } = parse(readFileSync(join(ROOT, `Pulumi.${stack}.yaml`), "utf8")) as {
    config: Record<string, unknown>;
  };
  const own = Object.entries(config).flatMap(([key, value]) =>
    key.startsWith("aks-gitops:") ? [[key.slice("aks-gitops:".length), value] as const] : [],
  );
  const { flux } = Object.fromEntries(own) as { flux?: { mode?: string; auth?: string } };
  const token = flux?.mode === "extension" && flux.auth === "token" ? { gitToken: "a token" } : {};
  return { ...Object.fromEntries(own), ...token };
}

/** The resources as a policy sees them. */
function seen({ resources }: Deployment<unknown>, stack: string): Seen[] {
  const urn = (type: string, name: string) => `urn:pulumi:${stack}::aks-gitops::${type}::${name}`;
  // A dependency is said without the package and module of its type.
  const short = new Map(resources.map(({ type, name }) => [`${type.split(":").at(-1)}::${name}`, urn(type, name)]));
  return resources.map(({ type, name, inputs, secrets, dependencies }) => ({
    ...{ type, name, urn: urn(type, name), props: inputs },
    open: Object.fromEntries(Object.entries(inputs).filter(([key]) => !secrets.includes(key))),
    dependencies: dependencies.flatMap((other) => short.get(other) ?? []),
  }));
}

function findings(all: readonly Seen[], isProduction: boolean): string[] {
  const facts = { isProduction, today: "2026-11-26", config: {} };
  return GUARDS.flatMap((guard) => {
    const found = "find" in guard ? all.flatMap((one) => findIn(guard, one, facts)) : findInStack(guard, all, facts);
    return found.map(({ problem }) => `${guard.level} ${guard.name}: ${problem}`);
  });
}

describe("the shipped stacks", () => {
  let prod: readonly Seen[];
  let dev: readonly Seen[];

  before(async () => {
    // One after the other: both set the process's configuration.
    prod = seen(await run(settingsOf("prod")), "prod");
    dev = seen(await run(settingsOf("dev")), "dev");
  });

  it("keep to every guard rail, prod as production", () => {
    assert.deepEqual(findings(prod, true), []);
    assert.deepEqual(findings(dev, false), []);
  });

  it("are what the guards look at: dev would not do for production", () => {
    const told = findings(dev, true).map((line) => line.split(":")[0]);
    assert.deepEqual([...new Set(told)].sort(), [
      "advisory cluster-has-defender",
      "mandatory cluster-api-server-is-closed",
      "mandatory cluster-has-a-paid-tier",
      "mandatory cluster-spans-zones",
      "mandatory registry-is-closed",
      "mandatory vault-cannot-be-purged",
      "mandatory vault-is-closed",
    ]);
  });

  it("write to Git what the guard of images reads: with another registry each chart and image is told", () => {
    for (const all of [prod, dev]) {
      const elsewhere = JSON.parse(JSON.stringify(all).replaceAll(".azurecr.io", ".example.com")) as Seen[];
      const told = findings(elsewhere, false).filter((line) => line.includes("images-come-from-azure-registries"));
      for (const part of [/oci:.*\/charts/, /ghcr\.io\/kubereboot\/kured/, /podinfo/])
        assert.ok(
          told.some((line) => part.test(line)),
          `${part} in\n${told.join("\n")}`,
        );
    }
  });
});
