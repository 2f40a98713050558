import { strict as assert } from "node:assert";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { gitOpsRepository } from "../../../components/flux/gitOpsRepository.ts";
import { deploy } from "../deployment.ts";
import { deployFlux } from "./fluxDeployment.ts";

describe("the GitOps repository", () => {
  it("is looked up, and not made unless asked for", async () => {
    const { names, find } = await deployFlux();
    assert.deepEqual(names("Repository"), []);
    assert.equal(find("RepositoryDeployKey", "flux").inputs.repository, "fleet");
  });

  it("is private, stays when its stack goes, and is people's own from its creation on", async () => {
    const { find } = await deployFlux({ createRepository: true });
    const { inputs, retainOnDelete, ignoreChanges } = find("Repository", "flux-fleet");
    assert.deepEqual(inputs, { name: "fleet", visibility: "private", hasIssues: true });
    assert.deepEqual([retainOnDelete, ignoreChanges], [true, ["*"]]);
  });

  it("is another one under another name, since a repository that others use is not to be renamed", async () => {
    const { names } = await deployFlux({ createRepository: true, repository: "https://github.com/acme/ships" });
    assert.deepEqual(names("Repository"), ["flux-ships"]);
  });

  it("is there before anything is committed to it or reads it", async () => {
    const { find } = await deployFlux({ createRepository: true });
    assert.ok(find("GitCommit", "flux").dependencies.includes("Repository::flux-fleet"));
    assert.ok(find("RepositoryDeployKey", "flux").dependencies.includes("Repository::flux-fleet"));
    const bootstrapped = await deployFlux({ createRepository: true, mode: "bootstrap" });
    assert.ok(bootstrapped.find("FluxInstall", "flux").dependencies.includes("Repository::flux-fleet"));
  });

  it("on another host is not asked for before something is committed", async () => {
    const { find, names } = await deployFlux({ repository: "https://gitlab.com/acme/fleet.git", mode: "bootstrap" });
    assert.deepEqual([names("Repository"), names("RepositoryDeployKey")], [[], []]);
    assert.equal(find("GitCommit", "flux").inputs.url, "https://gitlab.com/acme/fleet.git");
  });

  for (const [name, told] of [
    ["ships", "an empty id"],
    ["nothing", "nothing at all"],
  ])
    it(`is asked for by name when it is not there, with what to do: the provider gives ${told}`, () =>
      missing(`${name}`));

  async function missing(repository: string): Promise<void> {
    const address = { scheme: "https", host: "github.com", path: `acme/${repository}` } as const;
    const wanted = { address, repository: `https://github.com/acme/${repository}`, createRepository: false };
    class Parent extends pulumi.ComponentResource {
      readonly name: Promise<string>;
      constructor() {
        super("test:index:Parent", "parent");
        const output = gitOpsRepository("flux", wanted, this) as unknown as { promise(): Promise<string> };
        this.name = output.promise();
        this.name.catch(() => {});
      }
    }
    const { result } = await deploy(() => new Parent());
    await assert.rejects(result.name, (error) => {
      assert.ok(pulumi.RunError.isInstance(error));
      assert.equal(
        (error as Error).message,
        `aks-gitops:flux.repository https://github.com/acme/${repository} is not there, or GITHUB_TOKEN may not see it. ` +
          "Create the repository, or give the token access to it, or let it be made: flux.createRepository: true.",
      );
      return true;
    });
  }
});
