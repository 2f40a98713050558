import { strict as assert } from "node:assert";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { after, before, describe, it } from "mocha";
import { checkSignIn } from "../../settings/settings.ts";

describe("checkSignIn", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "sign-in-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("names every fault with what to do, and no value, without a stack trace", () => {
    const environment = { PATH: folder, ARM_CLIENT_SECRET: "hush", ARM_USE_OIDC: "1" };
    assert.throws(
      () => checkSignIn(environment),
      (error) => {
        assert.ok(pulumi.RunError.isInstance(error));
        assert.equal(
          (error as Error).message,
          `3 faults in the sign-in to Azure (docs/sign-in.md):

  ARM_USE_OIDC is on, but not for azure-native, which takes nothing but true
    remedy  set ARM_USE_OIDC=true

  ARM_CLIENT_ID is missing beside the credential of a service principal
    remedy  set it, or take the credential away and use \`az login\`

  ARM_TENANT_ID is missing beside the credential of a service principal
    remedy  set it, or take the credential away and use \`az login\``,
        );
        return true;
      },
    );
  });

  it("looks for az on PATH where its login counts", () => {
    const PATH = [folder, ""].join(delimiter);
    assert.throws(() => checkSignIn({ PATH }), /^Error: 1 fault .*\n\n {2}az is not on PATH/s);
    const az = join(folder, process.platform === "win32" ? "az.cmd" : "az");
    writeFileSync(az, "");
    chmodSync(az, 0o755);
    checkSignIn({ PATH });
  });
});
