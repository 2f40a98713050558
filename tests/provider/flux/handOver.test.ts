import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { type KubernetesApi, KubernetesError, nameOf, type ObjectRef } from "../../../net/kubernetesApi.ts";
import { handOver } from "../../../provider/flux/fluxApply.ts";

const OWN = { manager: "flux", operation: "Apply", fieldsV1: {} };
const GIT = { manager: "kustomize-controller", operation: "Apply", fieldsV1: {} };
const STATUS = { manager: "kube-controller-manager", operation: "Update", fieldsV1: {} };

/** An API server of objects that are managed by some; the first tries to write are too late. */
function cluster(managedFields: readonly object[], late = 0) {
  const written: [string, object][] = [];
  let version = 1;
  const api = {
    metadataOf: async (ref: ObjectRef) => ({
      ...ref,
      metadata: { ...ref.metadata, managedFields, resourceVersion: String(version++) },
    }),
    merge: async (ref: ObjectRef, patch: object) => {
      if (late-- > 0) throw new KubernetesError(409, "Conflict", "the object has been modified");
      written.push([nameOf(ref), patch]);
      return undefined;
    },
  };
  return { api: api as unknown as KubernetesApi, written };
}

describe("what Git writes too after an installation", () => {
  it("is left to Git alone, be it a Deployment or its service account", async () => {
    const { api, written } = cluster([OWN, GIT, STATUS]);
    await handOver(api, { imageAutomation: false });
    assert.deepEqual(
      written.map(([name]) => name),
      ["source", "kustomize", "helm", "notification"].flatMap((name) =>
        ["Deployment", "ServiceAccount"].map((kind) => `${kind} flux-system/${name}-controller`),
      ),
    );
    assert.deepEqual(written[0]?.[1], { metadata: { resourceVersion: "1", managedFields: [GIT, STATUS] } });
  });

  it("is looked at anew where it changed meanwhile, a few times", async () => {
    const { api, written } = cluster([OWN, GIT], 4);
    await handOver(api, { imageAutomation: false });
    assert.deepEqual(written[0]?.[1], { metadata: { resourceVersion: "5", managedFields: [GIT] } });
    await assert.rejects(handOver(cluster([OWN, GIT], 5).api, { imageAutomation: false }), { status: 409 });
  });

  it("stays where Git has written nothing of it yet, or nothing of it is from here", async () => {
    for (const managers of [[OWN, STATUS], [GIT], [], [{ ...OWN, operation: "Update" }, GIT]]) {
      const { api, written } = cluster(managers);
      await handOver(api, { imageAutomation: false });
      assert.deepEqual(written, []);
    }
  });
});
