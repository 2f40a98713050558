import { strict as assert } from "node:assert";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, it } from "mocha";
import { SettingsError } from "../../settings/settings.ts";
import { faults } from "./faults.ts";

const GITHUB_TOKEN = `ghp_${"0123456789abcdefghij".repeat(2)}`.slice(0, 40);
const CHART = { name: "a", version: "1.0.0", namespace: "a" };
const chartFrom = (repository: unknown) => ({ "aks-gitops:charts": [{ ...CHART, repository }] });
const fluxFrom = (repository: unknown) => ({ "aks-gitops:flux": { repository } });
const message = (config: Record<string, unknown>) => new SettingsError("test", faults(config)).message;

describe("a credential in the configuration", () => {
  const shown: [string, string][] = [
    [`https://x-access-token:${GITHUB_TOKEN}@github.com/acme/fleet.git`, "https://[hidden]@github.com/acme/fleet.git"],
    [`https://${GITHUB_TOKEN}@github.com/acme/fleet`, "https://[hidden]@github.com/acme/fleet"],
    ["https://acme@dev.azure.com/acme/platform/_git/fleet", "https://[hidden]@dev.azure.com/acme/platform/_git/fleet"],
    ["https://user:p@ss/w#rd?x@github.com/acme/fleet", "https://[hidden]@github.com/acme/fleet"],
    ["https://user:hunter2%40github.com/acme/fleet", "https://[hidden]@github.com/acme/fleet"],
    ["user:hunter2@github.com:acme/fleet.git", "[hidden]@github.com:acme/fleet.git"],
    ["https://gitlab.com/acme/fleet?private_token=hunter2", "https://gitlab.com/acme/fleet?[hidden]"],
    ["https://gitlab.com/acme/fleet#hunter2", "https://gitlab.com/acme/fleet#[hidden]"],
    ["git@github.com:acme/fleet.git", "git@github.com:acme/fleet.git"],
    ["ssh://git:hunter2@github.com:22/acme/fleet.git", "ssh://[hidden]@github.com:22/acme/fleet.git"],
    ["https://github.acme.corp/platform/fleet/..", "https://github.acme.corp/platform/fleet/.."],
  ];
  for (const [repository, value] of shown)
    it(`is not shown of the repository ${value}`, () => {
      assert.deepEqual(
        faults(fluxFrom(repository)).map(({ key, value }) => [key, value]),
        [["aks-gitops:flux.repository", value]],
      );
    });

  const hidden = [
    "https://user:hunter2/github.com/acme",
    "https://user:hun ter2@github.com/acme/fleet",
    "https://user:hunter2\uff20github.com/acme/fleet",
    "https:\\\\user:hunter2@github.com\\acme",
    "https://user:hunter2\n@github.com/acme/fleet",
    "//user:hunter2@github.com/acme/fleet",
    "https://github.com/acme/fleet;token=hunter2",
    "https://github.com/acme/fleet&access_token=hunter2",
    "https://github.com/acme/fleet%3Ftoken%3Dhunter2",
    "url = https://user:hunter2@github.com/acme/fleet",
    "hunter2@",
    "https://user:hunter2@",
    "HTTPS://USER:hunter2@github.com/acme",
    `https://github.com/${GITHUB_TOKEN}/fleet/tree/hunter2?`.replace("hunter2", "main"),
  ];
  for (const repository of hidden)
    it(`is not shown of ${JSON.stringify(repository)}, be it Flux's repository or a chart's`, () => {
      for (const config of [
        fluxFrom(repository),
        chartFrom(repository),
        fluxFrom([repository]),
        chartFrom([repository]),
      ])
        assert.doesNotMatch(message(config), /hunter2|ghp_/);
      assert.equal(faults(fluxFrom(repository)).length, 1);
      assert.equal(faults(chartFrom(repository)).length, 1);
    });

  it("is refused in a chart's address, with which it would go into the lock", () => {
    assert.deepEqual(
      faults(chartFrom("https://user:hunter2@charts.acme.corp/stable")).map(({ key, value, problem }) => [
        key,
        value,
        problem,
      ]),
      [
        [
          "aks-gitops:charts[0].repository",
          "https://[hidden]@charts.acme.corp/stable",
          "holds a sign-in, a query or a fragment, and would go into the lock and into logs with it",
        ],
      ],
    );
    assert.deepEqual(faults(chartFrom("https://charts.acme.corp:8443/stable")), []);
  });

  it("is not shown under an unknown key, nor where a value stands in the wrong place", () => {
    const configs: Record<string, unknown>[] = [
      { "aks-gitops:gitTokn": "hunter2" },
      { "aks-gitops:secret": [{ data: { pin: "hunter2" } }] },
      { "aks-gitops:flux": { repository: "https://github.com/acme/fleet", password: "hunter2" } },
      { "aks-gitops:flux": { repositry: "https://user:hunter2@github.com/acme/fleet" } },
      { "aks-gitops:flux": "https://user:hunter2@github.com/acme/fleet" },
      { "aks-gitops:registry": { login: { user: "acme", password: "hunter2" } } },
      { "aks-gitops:charts": [{ ...CHART, repository: "https://a.b/c", vals: { pin: "hunter2" } }] },
      { "aks-gitops:charts": { kured: { values: { pin: "hunter2" } } } },
      { "aks-gitops:charts": '[{"values": {"pin": "hunter2"}' },
      { "aks-gitops:images": ["user:hunter2@quay.io/a/b:1"] },
      { "aks-gitops:cluster": { network: { vnet: "https://user:hunter2@a.b" } } },
      { "aks-gitops:sops": { publickey: "-----BEGIN PRIVATE KEY-----hunter2" } },
      { "github:owner": "https://user:hunter2@github.com" },
      { "aksgitops:gitToken": "hunter2" },
    ];
    for (const config of configs) {
      assert.notEqual(faults(config).length, 0, JSON.stringify(config));
      assert.doesNotMatch(message(config), /hunter2/);
    }
  });

  it("is not looked for where it cannot be: what is shown stays readable", () => {
    const digest = `quay.io/Acme/b@sha256:${"0a".repeat(32)}`;
    const config = {
      "aks-gitops:images": [digest],
      "aks-gitops:deployers": "6f1f2b6e-1111-4e0a-9c60-00000000000g",
      "aks-gitops:cluster": { systemPool: { vmSize: "standard_NC24ads_A100_v4" } },
    };
    assert.deepEqual(
      faults(config).map(({ value }) => value),
      ["6f1f2b6e-1111-4e0a-9c60-00000000000g", "standard_NC24ads_A100_v4", digest],
    );
  });

  const urls = resolve(import.meta.dirname, "../../../shared/cases/29-other-hosts/urls.txt");
  (existsSync(urls) ? it : it.skip)("is not shown of any address of other hosts", () => {
    for (const line of readFileSync(urls, "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#")))
      assert.doesNotMatch(
        faults(fluxFrom(line)).length === 0 ? "" : message(fluxFrom(line)),
        /ghp_|x-access-token|acme@/,
      );
  });
});
