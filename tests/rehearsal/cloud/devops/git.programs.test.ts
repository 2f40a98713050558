// The program against the simulated dev.azure.com, by the real git: with personal access tokens and with Entra's.
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import type { Context, Properties } from "../../../../plugin/handler.ts";
import { gitCommit } from "../../../../provider/git/gitCommit.ts";
import { DEVOPS_APPLICATION } from "../../../../rehearsal/cloud/devops/git.ts";
import type { Repository } from "../../../../rehearsal/cloud/devops/model.ts";
import { AzureDevOps } from "../../../../rehearsal/cloud/devops/service.ts";
import { Authority } from "../../../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../../../rehearsal/cloud/door/door.ts";
import { Entra } from "../../../../rehearsal/cloud/entra/service.ts";
import { setEnvironment } from "../../../support/environment.ts";

const URL = "https://dev.azure.com/acme/My%20Platform/_git/fleet";
const TENANT = "6f1f2b6e-0000-4e0a-9c60-000000000001";
const run = promisify(execFile);

const context = (): Context => ({
  urn: "urn:pulumi:prod::aks-gitops::gitops:index:GitCommit::fleet",
  type: "gitops:index:GitCommit",
  name: "fleet",
  preview: false,
  signal: new AbortController().signal,
  log: () => {},
});

describe("Azure Repos", () => {
  let folder: string;
  let devOps: AzureDevOps;
  let fleet: Repository;
  let door: Door;
  let entra: Entra;
  let tokens: { contributor: string; reader: string; stranger: string };
  let restore: () => void;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "devops-"));
    entra = await Entra.create({ tenantId: TENANT });
    const authenticate = (authorization: string | undefined, audience: string) =>
      entra.authenticate(authorization, audience);
    devOps = new AzureDevOps("acme", { root: join(folder, "git"), authenticate });
    fleet = await devOps.createGitRepository("My Platform", "fleet", { files: { "README.md": "# fleet\n" } });
    const name = "My Platform/fleet";
    const token = (displayName: string, repositories: Record<string, "read" | "contribute">) =>
      devOps.git?.addUser({ displayName, repositories }) ?? "";
    tokens = {
      contributor: token("Ada", { [name]: "contribute" }),
      reader: token("Bo", { [name]: "read" }),
      stranger: token("Cy", {}),
    };
    const authority = await Authority.create();
    await writeFile(join(folder, "authority.pem"), authority.pem);
    door = new Door(authority);
    door.route("dev.azure.com", devOps.service);
    restore = setEnvironment({
      ...{ HTTPS_PROXY: `http://127.0.0.1:${await door.listen("outside")}`, NO_PROXY: undefined },
      ...{ GIT_SSL_CAINFO: join(folder, "authority.pem"), GIT_TOKEN: undefined, GITHUB_TOKEN: "github" },
    });
  });
  after(async () => {
    restore();
    await door.close();
    await rm(folder, { recursive: true });
  });

  const create = (token: string | undefined, more: Properties = {}) => {
    if (token === undefined) delete process.env.GIT_TOKEN;
    else process.env.GIT_TOKEN = token;
    const inputs = { url: URL, branch: "main", message: "Update", files: { "a.yaml": "a\n" }, ...more };
    return gitCommit.create(inputs, context());
  };
  const show = async (revision: string) =>
    (await run("git", ["show", revision], { cwd: devOps.git?.folder(fleet) })).stdout;

  it("takes the commit of a contributor, beside what is there", async () => {
    const { state } = await create(tokens.contributor);
    assert.equal(await show(`${state.commit}:a.yaml`), "a\n");
    assert.equal(await show("main:README.md"), "# fleet\n");
  });

  it("says of a reader that he may not push, and what that right is called", async () => {
    await assert.rejects(create(tokens.reader, { files: { "b.yaml": "b\n" } }), (error: Error) => {
      assert.match(error.message, /^the token in GIT_TOKEN may not push to https:\/\/dev\.azure\.com\//);
      assert.match(error.message, /\(in Azure DevOps: Code, read & write; the permission Contribute\)/);
      assert.match(error.message, /remote: TF401027: You need the Git 'GenericContribute' permission/);
      return true;
    });
  });

  it("tells a stranger of no repository", async () => {
    await assert.rejects(create(tokens.stranger), (error: Error) => {
      assert.match(
        error.message,
        /^there is no repository .*, or the token in GIT_TOKEN may not see it: remote: TF401019/,
      );
      return true;
    });
  });

  it("takes no token that has ended, and asks for one where there is none; GITHUB_TOKEN is not for it", async () => {
    const ended = devOps.git?.addUser({ displayName: "Di", repositories: { "My Platform/fleet": "contribute" } }) ?? "";
    devOps.git?.revoke(ended);
    await assert.rejects(create(ended), /does not accept the token in GIT_TOKEN: it may have expired/);
    await assert.rejects(create(undefined), /asks for a credential: set GIT_TOKEN: /);
  });

  it("lets a service principal read that was added to the organisation, by Entra's token for Azure DevOps", async () => {
    const { objectId } = entra.addClient("flux");
    const other = entra.addClient("other");
    devOps.git?.addUser({ displayName: "flux", objectId, repositories: { "My Platform/fleet": "read" } });
    const read = async (id: string, audience: string) => {
      const principal = entra.find(id);
      assert.ok(principal);
      const bearer = entra.issuer.issue(principal, audience, "2", []);
      const args = ["-c", `http.extraHeader=Authorization: Bearer ${bearer}`, "-c", "credential.helper="];
      return run("git", [...args, "ls-remote", URL, "main"], { env: { ...process.env, GIT_TERMINAL_PROMPT: "0" } });
    };
    assert.match((await read(objectId, DEVOPS_APPLICATION)).stdout, /refs\/heads\/main/);
    await assert.rejects(
      read(objectId, "https://management.azure.com"),
      /could not read Username|Authentication failed/,
    );
    await assert.rejects(read(other.objectId, DEVOPS_APPLICATION), /could not read Username|Authentication failed/);
  });
});
