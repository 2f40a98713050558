import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { artifactFault } from "../../../rehearsal/world/artifactPipeline.ts";
import { settingsOf } from "../../settings/settingsOf.ts";

describe("the artifact of a rehearsal", () => {
  const faultOf = (artifact?: Record<string, unknown>) =>
    artifactFault(
      settingsOf({
        flux: {
          repository: "https://github.com/acme/fleet",
          mode: "bootstrap",
          ...(artifact && { artifact }),
        },
        secrets: [{ name: "fleet-cosign", namespace: "flux-system", data: { "fleet.pub": "key" } }],
      }),
    );

  it("is pushed where it is a tag of the stack's own registry", () => {
    assert.equal(faultOf(), undefined);
    assert.equal(faultOf({ url: "oci://{registry}/fleet", tag: "production" }), undefined);
  });

  it("is refused where nobody in a rehearsal can push or sign it, by what asks for that", () => {
    assert.equal(
      faultOf({ url: "oci://ghcr.io/acme/fleet" }),
      'aks-gitops:flux.artifact.url: "oci://ghcr.io/acme/fleet" is a host that a rehearsal does not have. For a rehearsal ' +
        "name oci://{registry}/<repository>",
    );
    assert.equal(
      faultOf({ url: "oci://{registry}/fleet", semver: ">=1.0.0" }),
      'aks-gitops:flux.artifact.semver: ">=1.0.0" asks for versions, and a rehearsal\'s pipeline pushes a tag. For a ' +
        "rehearsal write a tag",
    );
    assert.equal(
      faultOf({ url: "oci://{registry}/fleet", verify: "fleet-cosign" }),
      'aks-gitops:flux.artifact.verify: "fleet-cosign" asks for signatures, and a rehearsal\'s pipeline has no key to sign ' +
        "with. For a rehearsal leave it out",
    );
  });
});
