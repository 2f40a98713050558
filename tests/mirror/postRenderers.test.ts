import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { pointerTo, postRendered, postRenderers } from "../../mirror/postRenderers.ts";

const digest = `sha256:${"d".repeat(64)}`;

describe("post-renderers", () => {
  const patch = {
    target: { kind: "ConfigMap", name: "pods" },
    ops: [{ op: "replace" as const, path: pointerTo(["data", "a/b~c.yaml"]), value: "image: acr.example/x:1" }],
  };

  it("are written as Flux reads them, and are not there where nothing is to be done", () => {
    assert.deepEqual(postRenderers([]), []);
    const images = [{ name: "nginx", newName: "acr.example/docker.io/library/nginx", digest }];
    assert.deepEqual(postRenderers(images, [patch]), [
      {
        kustomize: {
          images,
          patches: [
            {
              target: { kind: "ConfigMap", name: "pods" },
              patch: `[
  {
    "op": "replace",
    "path": "/data/a~1b~0c.yaml",
    "value": "image: acr.example/x:1"
  }
]
`,
            },
          ],
        },
      },
    ]);
  });

  it("replace texts of the object that is meant, and nothing of others", () => {
    const pods = { kind: "ConfigMap", metadata: { name: "pods" }, data: { "a/b~c.yaml": "image: x:1", other: "y" } };
    assert.deepEqual(postRendered(pods, [], [patch]).data, { "a/b~c.yaml": "image: acr.example/x:1", other: "y" });
    const other = { ...pods, metadata: { name: "others" } };
    assert.deepEqual(postRendered(other, [], [patch]), other);
    const elsewhere = { ...patch, target: { ...patch.target, namespace: "b" } };
    assert.deepEqual(postRendered(pods, [], [elsewhere]), pods);
  });

  it("rename images as kustomize does: digest, tag, or what was there", () => {
    const image = (written: string, entry: object) => {
      const pod = { kind: "Pod", spec: { containers: [{ image: written }] } };
      const renamed = postRendered(pod, [{ name: "ghcr.io/a/b", newName: "acr.example/b", ...entry }], []);
      return (renamed as typeof pod).spec.containers[0]?.image;
    };
    assert.equal(image("ghcr.io/a/b:1", {}), "acr.example/b:1");
    assert.equal(image(`ghcr.io/a/b:1@${digest}`, {}), `acr.example/b:1@${digest}`);
    assert.equal(image("ghcr.io/a/b:1", { digest }), `acr.example/b@${digest}`);
    assert.equal(image("ghcr.io/a/b:1", { newTag: "2" }), "acr.example/b:2");
    assert.equal(image("ghcr.io/a/bc:1", {}), "ghcr.io/a/bc:1");
  });
});
