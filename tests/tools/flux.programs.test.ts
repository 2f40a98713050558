import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { before, describe, it } from "mocha";
import { parseAllDocuments } from "yaml";
import { findTool } from "../../tools/findTool.ts";
import { CLUSTER_TIMEOUT } from "../support/cluster.ts";

const official = resolve(import.meta.dirname, "../../../shared/flux");

/** Options of `flux install --export`, and the name of the official CLI's output. */
const exports: [string, string[]][] = [
  ["install-default", []],
  ["install-registry", ["--registry=acme.azurecr.io/fluxcd", "--image-pull-secret=acr-pull"]],
  ["install-image-automation", ["--components-extra=image-reflector-controller,image-automation-controller"]],
];

describe("the flux CLI that is found or built", () => {
  let flux: string;
  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    flux = await findTool("flux");
  });
  const run = async (...args: string[]) =>
    (await promisify(execFile)(flux, args, { maxBuffer: 1 << 26, env: { PATH: process.env.PATH } })).stdout;

  it("installs the controllers that the rehearsal's cluster runs", async () => {
    const documents = parseAllDocuments(await run("install", "--export")).map((document) => document.toJS());
    const images = documents
      .filter((each) => each?.kind === "Deployment")
      .map((each) => each.spec.template.spec.containers[0].image);
    assert.deepEqual(images, [
      "ghcr.io/fluxcd/source-controller:v1.9.4",
      "ghcr.io/fluxcd/kustomize-controller:v1.9.4",
      "ghcr.io/fluxcd/helm-controller:v1.6.3",
      "ghcr.io/fluxcd/notification-controller:v1.9.3",
    ]);
    assert.equal(await run("version", "--client"), "flux: v2.9.4\n");
  });

  for (const [name, options] of exports) {
    const file = join(official, `${name}.yaml`);
    if (!existsSync(file)) continue;
    it(`writes ${name} as the official CLI does, byte for byte`, async () => {
      assert.equal(await run("install", "--export", ...options), readFileSync(file, "utf8"));
    });
  }
});
