import { strict as assert } from "node:assert";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { signInAz } from "../../../rehearsal/cli/azSignIn.ts";
import { type CloudFile, environment, pathsOf } from "../../../rehearsal/session.ts";
import { setEnvironment } from "../../support/environment.ts";

const identity = { clientId: "client", clientSecret: "s3cret", gitHubToken: "token" };
const cloud = {
  pid: 1,
  control: { port: 1, token: "" },
  ports: { outside: 1, inside: 2, cluster: 3 },
  runner: "outside",
  tenantId: "tenant",
  subscriptionId: "subscription",
  passphrase: "",
  identities: { deployer: identity, reader: identity, editor: identity, encrypter: identity, administrator: identity },
} as CloudFile;

describe("az in a rehearsal", () => {
  let root: string;
  let restore: () => void;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "az-"));
    restore = setEnvironment({ AKS_GITOPS_REHEARSALS: root, AZURE_CONFIG_DIR: "/home/user/.azure" });
  });

  afterEach(() => {
    restore();
    rmSync(root, { recursive: true, force: true });
  });

  it("is signed in as whoever runs the command, in a folder that is not the user's", async () => {
    const paths = pathsOf("prod");
    await signInAz(paths, cloud, "reader");
    const { AZURE_CONFIG_DIR = "", REQUESTS_CA_BUNDLE } = environment({ paths, cloud, as: "reader" });
    assert.deepEqual([AZURE_CONFIG_DIR, REQUESTS_CA_BUNDLE], [join(root, "prod/azure/reader"), paths.authority]);
    const read = (name: string) => JSON.parse(readFileSync(join(AZURE_CONFIG_DIR, name), "utf8"));
    assert.deepEqual(read("service_principal_entries.json"), [
      { client_id: "client", tenant: "tenant", client_secret: "s3cret" },
    ]);
    const [{ id, user }] = read("azureProfile.json").subscriptions;
    assert.deepEqual([id, user], ["subscription", { name: "client", type: "servicePrincipal" }]);
    assert.equal(statSync(join(AZURE_CONFIG_DIR, "service_principal_entries.json")).mode & 0o077, 0);
  });

  it("keeps what az has made of its folder", async () => {
    const paths = pathsOf("prod");
    await signInAz(paths, cloud, "deployer");
    const profile = join(paths.azure, "deployer/azureProfile.json");
    writeFileSync(profile, "{}");
    await signInAz(paths, cloud, "deployer");
    assert.equal(readFileSync(profile, "utf8"), "{}");
  });
});
