// What a reader is told when dev is wired wrongly: each fault is made in the running cloud, named, and put right again.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { before, describe, it } from "mocha";
import { TAKES_EFFECT } from "../../../rehearsal/world/services.ts";
import { callArm, type PutRequest } from "../../support/arm.ts";
import { devRehearsal } from "../../support/devRehearsal.ts";
import type { Rehearsal } from "../../support/rehearsal.ts";

const roles = {
  acrPull: "7f951dda-4ed3-4680-a7ca-43fe172d538d",
  cryptoUser: "12338af0-0e69-4776-bea7-57ae8d297424",
};

describe("a wrong wiring of dev", () => {
  let dev: Rehearsal;

  before(async () => {
    ({ dev } = await devRehearsal());
  });

  /** What the program asked ARM to make since the stack was destroyed last. */
  function puts(pattern: RegExp): PutRequest[] {
    const requests = readFileSync(join(dev.folder, "arm-requests.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as PutRequest & { method: string });
    const isEnd = ({ method, url }: (typeof requests)[0]) =>
      method === "DELETE" && /\/resourceGroups\/[^/]+\?/.test(url);
    return requests
      .slice(requests.findLastIndex(isEnd) + 1)
      .filter(({ method, url }) => method === "PUT" && pattern.test(url));
  }

  /** The assignments of a role, in the order of the roles' holders' names in `holders`. */
  const assignments = (role: string) =>
    puts(/roleAssignments/).filter(({ body }) => String(body.properties.roleDefinitionId).endsWith(role));

  /** Whose principal id it is: the names of user-assigned identities by principal id. */
  async function principal(identity: RegExp): Promise<string> {
    const [{ url } = { url: "" }] = puts(/userAssignedIdentities\/[^/?]+\?/).filter((put) => identity.test(put.url));
    const found = (await callArm(dev, "GET", url)) as { properties: { principalId: string } };
    return found.properties.principalId;
  }

  /** Takes role assignments away while an action runs. */
  async function without(taken: readonly PutRequest[], action: () => Promise<void>): Promise<void> {
    assert.ok(taken.length > 0, "there is an assignment to take away");
    for (const { url } of taken) await callArm(dev, "DELETE", url);
    try {
      await action();
    } finally {
      for (const { url, body } of taken) await callArm(dev, "PUT", url, body);
      await delay(TAKES_EFFECT.roleDelay);
    }
  }

  /** Asks Flux to reconcile objects now; `check` waits until it has. */
  const ask = (...objects: string[]) =>
    dev.output(
      ...["kubectl", "annotate", "-n", "flux-system", "--overwrite", ...objects],
      `reconcile.fluxcd.io/requestedAt=${new Date().toISOString()}`,
    );
  const [infrastructure, apps] = ["kustomization/infrastructure", "kustomization/apps"] as const;

  /** The faults that `rehearse check` tells; it has to fail with them. */
  async function faults(): Promise<readonly string[]> {
    const { code, stdout } = await dev.rehearse("check");
    const told = dev.report().faults;
    assert.equal(code, told.length > 0 ? 1 : 0);
    for (const fault of told) assert.ok(stdout.includes(fault.split("\n")[0] ?? fault), fault);
    return told;
  }

  const includes = (told: readonly string[], pattern: RegExp) =>
    assert.ok(
      told.some((fault) => pattern.test(fault)),
      `${pattern} in\n${told.join("\n")}`,
    );

  /** Commits a change of the repository as a user would. */
  const commit = (script: string) =>
    dev.output(
      "bash",
      "--norc",
      "-euc",
      `${script}; git add -A; git -c user.name=User -c user.email=user@acme.invalid commit -qm "Change by hand"; git push -q "https://x:$GITHUB_TOKEN@github.com/acme/fleet" HEAD:main`,
    );

  it("has none to begin with", async () => {
    assert.deepEqual(await faults(), []);
  });

  it("names AcrPull where the nodes may not pull", async () => {
    const kubelet = await principal(/kubelet/);
    const taken = assignments(roles.acrPull).filter(({ body }) => body.properties.principalId === kubelet);
    await without(taken, async () => {
      const told = await faults();
      assert.equal(told.length, 6);
      includes(
        told,
        /^image \S+podinfo\S+ of pod demo\/demo-\S+ may not be pulled by .* AcrPull on acrdev\w+ is missing$/,
      );
    });
    assert.deepEqual(await faults(), []);
  });

  it("names the chart where the pull principal has no AcrPull", async () => {
    const known = [await principal(/kubelet/), await principal(/flux-/)];
    const taken = assignments(roles.acrPull).filter(({ body }) => !known.includes(String(body.properties.principalId)));
    await without(taken, async () => {
      // What has been pulled would not be pulled again.
      await dev.output("kubectl", "delete", "helmchart", "-n", "flux-system", "flux-system-kured");
      await ask("helmrelease/kured");
      includes(await faults(), /^HelmChart flux-system\/flux-system-kured is not Ready: .*(denied|unauthorized|403)/i);
    });
    await ask("helmchart/flux-system-kured", "helmrelease/kured");
    assert.deepEqual(await faults(), []);
  });

  it("names the role where Flux may not decrypt, and what waits for it", async () => {
    const identity = await principal(/flux-/);
    const taken = assignments(roles.cryptoUser).filter(({ body }) => body.properties.principalId === identity);
    await without(taken, async () => {
      await ask(infrastructure);
      await faults();
      await ask(apps);
      const told = await faults();
      includes(told, /^the identity of Flux's controllers may decrypt with no key: a role with keys\/decrypt\/action/);
      includes(told, /^Kustomization flux-system\/infrastructure is not Ready: .*demo-credentials/s);
      includes(
        told,
        /^Kustomization flux-system\/apps is not Ready: DependencyNotReady: .*flux-system\/infrastructure/,
      );
    });
    await ask(infrastructure, apps);
    assert.deepEqual(await faults(), []);
  });

  it("names the subject that no federated credential has", async () => {
    const [credential] = puts(/federatedIdentityCredentials\/kustomize-controller/);
    assert.ok(credential);
    const subject = "system:serviceaccount:flux-system:kustomize";
    await callArm(dev, "PUT", credential.url, { properties: { ...credential.body.properties, subject } });
    // Until it starts anew the controller has the token that it got with the right subject.
    const restart = ["-n", "flux-system", "deployment/kustomize-controller"];
    await dev.output("kubectl", "rollout", "restart", ...restart);
    await dev.output("kubectl", "rollout", "status", ...restart);
    await ask(infrastructure);
    const told = await faults();
    includes(told, /^no federated credential .* subject system:serviceaccount:flux-system:kustomize-controller/);
    includes(told, /^Kustomization flux-system\/infrastructure is not Ready: .*AADSTS/s);
    await callArm(dev, "PUT", credential.url, credential.body);
    await delay(TAKES_EFFECT.federationDelay);
    await ask(infrastructure, apps);
    assert.deepEqual(await faults(), []);
  });

  it("names the images that the cluster's nodes could not pull", async () => {
    const { loginServer } = dev.report().registry;
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "by-hand", namespace: "demo" },
      spec: {
        containers: [
          { name: "missing", image: `${loginServer}/ghcr.io/stefanprodan/podinfo:9.9.9` },
          { name: "foreign", image: "docker.io/library/nginx:1.31.2" },
        ],
      },
    };
    await commit(
      `printf %s '${JSON.stringify(pod)}' > apps/dev/by-hand.yaml; echo '  - by-hand.yaml' >> apps/dev/kustomization.yaml`,
    );
    await dev.output("flux", "reconcile", "kustomization", "apps", "--with-source");
    assert.deepEqual(await faults(), [
      `image ${loginServer}/ghcr.io/stefanprodan/podinfo:9.9.9 of pod demo/by-hand is not in the registry`,
      "image docker.io/library/nginx:1.31.2 of pod demo/by-hand comes from docker.io, not from the stack's registry",
    ]);
    await commit("git revert --no-edit --no-commit HEAD");
    await dev.output("flux", "reconcile", "kustomization", "apps", "--with-source");
    assert.deepEqual(await faults(), []);
  });

  it("names the path that the repository has not got", async () => {
    await commit("git mv apps/dev apps/elsewhere");
    await dev.output("flux", "reconcile", "source", "git", "flux-system");
    await ask(apps);
    includes(await faults(), /^Kustomization flux-system\/apps is not Ready: .*apps\/dev: no such file or directory/);
    await commit("git revert --no-edit --no-commit HEAD");
    await dev.output("flux", "reconcile", "source", "git", "flux-system");
    await ask(apps);
    assert.deepEqual(await faults(), []);
  });
});
