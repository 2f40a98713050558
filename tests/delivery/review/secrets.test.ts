import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { FORMATS, renderReview } from "../../../delivery/review/render.ts";
import { environmentSecrets, Mask, secretsIn, secretsOf } from "../../../delivery/review/secrets.ts";
import { diagnostic, ended, outputs, policy, SECRET, step, urnOf } from "./events.ts";
import { reviewed } from "./recorded.ts";

const KEY = `-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAE\nQyNTUxOQAAACCxJ7+fQ/aWzF5Cq0fS\n-----END OPENSSH PRIVATE KEY-----\n`;
const PASSWORD = 'correct "horse" battery/staple';

/** Everything in which the password could stand. */
const forms = [
  PASSWORD,
  JSON.stringify(PASSWORD).slice(1, -1),
  encodeURIComponent(PASSWORD),
  Buffer.from(PASSWORD).toString("base64"),
];

describe("a secret of the stack", () => {
  const manifest = (text: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  text: "${text}"\n`;
  for (const form of forms)
    for (const [place, events] of Object.entries({
      "a property": step("update", "a:b:C", "c", { old: { p: "x" }, new: { p: `=${form}=` }, diff: { p: "update" } }),
      "a property before": step("update", "a:b:C", "c", { old: { p: form }, new: { p: "x" }, diff: { p: "update" } }),
      "a property's name": step("create", "a:b:C", "c", { new: { [form]: "x" } }),
      "a list": step("update", "a:b:C", "c", { old: { p: [] }, new: { p: ["x", form] }, diff: { p: "update" } }),
      "a property that makes another resource": step("replace", "gitops:index:ManagedCluster", "c", {
        old: { p: "x" },
        new: { p: form },
        diff: { p: "update-replace" },
      }),
      "a resource's name": step("delete", "azure-native:keyvault:Vault", form),
      "a manifest": step("update", "gitops:index:GitCommit", "c", {
        old: { files: { a: manifest("x") } },
        new: { files: { a: manifest(form) } },
        diff: { "files.a": "update" },
      }),
      "a manifest's path": step("create", "gitops:index:GitCommit", "c", { new: { files: { [form]: "a: b\n" } } }),
      "an object that Flux deletes": step("update", "gitops:index:GitCommit", "c", {
        old: { files: { a: `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${JSON.stringify(form)}\n` } },
        new: { files: {} },
        diff: { "files.a": "delete" },
      }),
      "a chart's version": step("create", "gitops:index:ChartMirror", "c", { new: { repository: "a", version: form } }),
      "an image's name": step("create", "gitops:index:ImageImport", "c", { new: { repository: form, digest: form } }),
      "an output": [outputs({ p: "x" }, { p: form })],
      "an error": [diagnostic("error", `it said ${form}`), ended("failed")],
      "a warning": [diagnostic("warning", `it said ${form}`)],
      "a resource's error": [diagnostic("error", "no", urnOf("a:b:C", form)), ended("failed")],
      "a policy's finding": [policy("mandatory", `it is ${form}`, urnOf("a:b:C", form)), ended("failed")],
    }))
      it(`is not shown where it stands in ${place}: ${form}`, () => {
        const review = reviewed({ events, resources: [] }, { secrets: secretsOf(PASSWORD) });
        for (const format of FORMATS) {
          const text = renderReview(review, format);
          assert.ok(text.includes("[hidden]") || text.includes("&#91;hidden&#93;"), text);
          for (const hidden of forms)
            assert.ok(!text.includes(hidden) && !text.includes(JSON.stringify(hidden).slice(1, -1)), text);
        }
      });

  it("is not shown where nothing told but the command itself", () => {
    const run = {
      events: [],
      failure: `Command failed: pulumi preview\nerror: cannot sign in with ${PASSWORD}\n${PASSWORD}`,
    };
    const review = reviewed({ events: [], resources: [] }, { secrets: [PASSWORD], run });
    assert.deepEqual(review.failures, [{ text: "cannot sign in with [hidden]" }]);
  });

  it("is not shown line by line, where it has several", () => {
    const mask = new Mask([KEY]);
    for (const line of KEY.split("\n").slice(1, 3)) assert.equal(mask.text(`a ${line} b`), "a [hidden] b");
  });

  it("is found in a state wherever it is, and in what it consists of", () => {
    const plaintext = JSON.stringify({ user: "somebody", password: PASSWORD });
    const state = { outputs: { list: [{ ...SECRET, plaintext }] }, inputs: { plain: "not this" } };
    assert.deepEqual(secretsIn(state), [plaintext, "somebody", PASSWORD]);
  });

  it("is what the environment calls one", () => {
    const env = {
      GITHUB_TOKEN: "a",
      AZURE_CLIENT_SECRET: "b",
      PULUMI_CONFIG_PASSPHRASE: "c",
      HOME: "d",
      ARM_CLIENT_ID: "e",
    };
    assert.deepEqual(environmentSecrets(env), ["a", "b", "c"]);
  });

  it("is not shown where the engine marks it, before or after", () => {
    const [update] = step("update", "a:b:C", "c", {
      old: { p: SECRET, q: { r: SECRET }, s: "x" },
      new: { p: SECRET, q: { r: "x" }, s: SECRET },
      diff: { p: "update", "q.r": "update", s: "update" },
    });
    const review = reviewed({ events: update ? [update] : [], resources: [] });
    assert.deepEqual(review.resources[0]?.properties, [
      { path: "p", from: "[hidden]", to: "[hidden]" },
      { path: "q.r", from: "[hidden]", to: "x" },
      { path: "s", from: "x", to: "[hidden]" },
    ]);
  });

  it("is no change by itself where something beside it changes", () => {
    const events = step("update", "a:b:C", "c", {
      old: { p: { q: SECRET, r: "x" } },
      new: { p: { q: SECRET, r: "y" } },
      diff: { p: "update" },
    });
    assert.deepEqual(reviewed({ events, resources: [] }).resources[0]?.properties, [
      { path: "p.r", from: "x", to: "y" },
    ]);
  });
});

describe("what looks like a secret", () => {
  const mask = new Mask([]);
  for (const [text, shown] of [
    ["token ghp_abcdefghijklmnopqrstuvwxyz0123456789 was refused", "token [hidden] was refused"],
    ["https://user:pass@example.com/a?sig=x", "https://[hidden]@example.com/a?[hidden]"],
    [`the key ${KEY.trim()} is no key`, "the key [hidden] is no key"],
    ["Authorization: Bearer abcdefghijkl", "Authorization: Bearer [hidden]"],
    ["AccountName=a;AccountKey=b64b64==;x=y", "AccountName=a;AccountKey=[hidden];x=y"],
    ["--password=hunter2", "--password=[hidden]"],
    ['{"clientSecret": "a1b2c3"}', '{"clientSecret": "[hidden]"}'],
  ] as const)
    it(`is hidden: ${text.slice(0, 40)}`, () => assert.equal(mask.text(text), shown));

  for (const text of [
    "sha256:e197205aa71c0f2e94f084108cb41742245d496ca6f30980ca2d46ca06524080",
    "acr.azurecr.io/ghcr.io/kubereboot/kured:1.24.0@sha256:e197205aa71c0f2e94f084108cb41742245d496ca6f30980ca2d46ca06524080",
    "b8131ff324cb659bf090d69972eba9b983b87513",
    "/subscriptions/c0ffee00-6a1d-4b52-8d35-2f7a9e4b1c02/resourceGroups/aks-gitops-prod757d52d6",
    "app.kubernetes.io/name=kured",
    "secret: not found, see the token's page",
    "kustomize.toolkit.fluxcd.io/v1",
    "tokenFingerprint: changes",
  ])
    it(`is not everything: ${text.slice(0, 40)}`, () => assert.equal(mask.text(text), text));

  it("is hidden below a telling name, whatever it is", () => {
    const events = step("create", "a:b:C", "c", {
      new: {
        password: "x",
        a: { apiKey: "y", secretName: "z", enableSecretRotation: true },
        list: [{ token: "1", name: "n" }],
      },
    });
    assert.deepEqual(reviewed({ events, resources: [] }).resources[0]?.properties, [
      { path: "password", to: "[hidden]" },
      { path: "a.apiKey", to: "[hidden]" },
      { path: "a.secretName", to: "z" },
      { path: "a.enableSecretRotation", to: "true" },
      { path: "list[0].token", to: "[hidden]" },
      { path: "list[0].name", to: "n" },
    ]);
  });
});
