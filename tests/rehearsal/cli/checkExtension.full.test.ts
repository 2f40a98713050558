// `rehearse check` where the extension brings Flux: what ARM says has to agree with the cluster.

import { strict as assert } from "node:assert";
import { after, before, describe, it } from "mocha";
import { Rehearsal } from "../../support/rehearsal.ts";
import { assertApplied, check, commit, includes, inFlux, isGreen, note } from "./checked.ts";

describe("the check of prod", () => {
  const prod = new Rehearsal("prod");
  const kubectl = (...args: string[]) => prod.output("kubectl", ...args);

  before(() => prod.start());
  after(() => prod.end());

  it("waits for a commit that was pushed a moment ago, and for ARM's word on it", async () => {
    const head = await commit(prod, note("prod"));
    const { stdout } = await isGreen(prod);
    assertApplied(prod, head);
    assert.match(stdout, /^ {2}fluxConfiguration +1 of 1 +Compliant in ARM +flux-system$/m);
  });

  it("is red where the extension's secret or a controller is gone", async () => {
    await kubectl("delete", "secret", ...inFlux, "flux-system-auth");
    await kubectl("delete", "deployment", ...inFlux, "helm-controller");
    const red = await check(prod);
    includes(red, /^Secret flux-system\/flux-system-auth is missing$/);
    includes(red, /^Deployment flux-system\/helm-controller is missing$/);
    includes(red, /^GitRepository flux-system\/flux-system is not Ready: /);
    includes(red, /^fluxConfiguration flux-system is Non-Compliant in ARM$/);
  });
});
