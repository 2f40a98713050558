import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { strangeImages } from "../../mirror/closedWorld.ts";
import type { YamlMap } from "../../mirror/tree.ts";

const own = (host: string) => host === "acr.example";
const strange = (body: YamlMap) => strangeImages(body, own).map(({ field, image }) => `${field}: ${image}`);

describe("the last look at an object", () => {
  it("sees images wherever they stand, with the field that they stand in", () => {
    const pod = {
      kind: "Pod",
      spec: {
        initContainers: [{ image: "busybox" }],
        containers: [
          { image: "acr.example/ghcr.io/acme/tool:1", args: ["--sidecar=quay.io/acme/side:2,acr.example/x/y:1"] },
        ],
      },
    };
    assert.deepEqual(strange(pod), [
      "spec.initContainers[0].image: busybox",
      "spec.containers[0].args[0]: quay.io/acme/side:2",
    ]);
    const digest = `sha256:${"a".repeat(64)}`;
    const map = {
      kind: "ConfigMap",
      data: { "pod.json": `{"image":"ghcr.io/a/b:1@${digest}","other":"registry:5000/c:2."}` },
    };
    assert.deepEqual(strange(map), [`data.pod.json: ghcr.io/a/b:1@${digest}`, "data.pod.json: registry:5000/c:2"]);
  });

  it("takes nothing for an image that is none", () => {
    const data = {
      url: "https://ghcr.io/acme/tool:1",
      address: "tool.tools.svc.cluster.local:8080",
      label: "app.kubernetes.io/version",
      time: "12:30/13:30",
      chart: "oci://ghcr.io/acme/charts/tool:1.0.0",
      own: "acr.example/ghcr.io/acme/tool:1",
    };
    assert.deepEqual(strange({ kind: "ConfigMap", data }), []);
    const pod = { kind: "Pod", spec: { containers: [{ image: "auto" }, { image: "{{ .ProxyImage }}" }] } };
    assert.deepEqual(strange(pod), []);
    const about = { description: "such as ghcr.io/acme/tool:1" };
    assert.deepEqual(strange({ kind: "CustomResourceDefinition", spec: about }), []);
    assert.deepEqual(strange({ kind: "Pod", metadata: { annotations: { doc: "ghcr.io/acme/tool:1" } } }), []);
    // What only a schema says to people is run where it is no schema.
    assert.deepEqual(strange({ kind: "Task", spec: about }), ["spec.description: ghcr.io/acme/tool:1"]);
  });
});
