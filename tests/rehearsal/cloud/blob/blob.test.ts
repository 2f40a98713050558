import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { BlobStorage } from "../../../../rehearsal/cloud/blob/service.ts";
import { ServiceError } from "../../../../rehearsal/cloud/types.ts";
import { person, ask as send } from "../registry/support.ts";

const ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/acme";
const CONTAINER = "https://acme.blob.core.windows.net/manifests";
const LIST = `${CONTAINER}?restype=container&comp=list`;

describe("the simulated containers of Azure Storage", () => {
  const storage = new BlobStorage({
    accountId: (name) => (name === "acme" ? ACCOUNT : undefined),
    arm: {
      allows: ({ principal }, action, scope, kind) =>
        principal.objectId === "reader" &&
        action === "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read" &&
        scope.startsWith(`${ACCOUNT}/blobServices/default/containers/`) &&
        kind === "data",
    },
    directory: {
      authenticate(authorization, audience) {
        const [given, who = ""] = (authorization ?? "").replace("Bearer ", "").split("|");
        if (given !== audience) throw new ServiceError({ status: 401 }, "invalid token");
        return person(who);
      },
    },
  });
  storage.put("acme", "manifests", { "a/one.yaml": "one", "a/two&.yaml": "two", "b.yaml": "three" });

  const ask = (method: string, url: string, headers: Record<string, string | undefined> = {}) => {
    const all = { "x-ms-version": "2025-07-05", authorization: "Bearer https://storage.azure.com|reader", ...headers };
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return send(storage.service, method, url, { headers: Object.fromEntries(given) });
  };
  const refusal = async (...request: Parameters<typeof ask>) => {
    const { status, headers } = await ask(...request);
    return `${status} ${headers["x-ms-error-code"]}`;
  };

  it("lists blobs page by page, and by prefix", async () => {
    const names = async (more: string) => {
      const body = (await ask("GET", `${LIST}${more}`)).body.toString();
      const found = [...body.matchAll(/<Name>(.*?)<\/Name>/g)].map((match) => match[1]);
      return [found, /<NextMarker>(.*)<\/NextMarker>/.exec(body)?.[1]];
    };
    assert.deepEqual(await names(""), [["a/one.yaml", "a/two&#38;.yaml", "b.yaml"], ""]);
    assert.deepEqual(await names("&maxresults=2"), [["a/one.yaml", "a/two&#38;.yaml"], "b.yaml"]);
    assert.deepEqual(await names("&maxresults=2&marker=b.yaml"), [["b.yaml"], ""]);
    assert.deepEqual(await names("&prefix=b"), [["b.yaml"], ""]);
  });

  it("hands a blob out, with an ETag that is of its content", async () => {
    const { status, body, headers } = await ask("GET", `${CONTAINER}/a/two%26.yaml`);
    assert.deepEqual([status, body.toString()], [200, "two"]);
    const other = await ask("GET", `${CONTAINER}/a/one.yaml`);
    assert.notEqual(other.headers.etag, headers.etag);
  });

  it("refuses whoever has no right, no token or one for something else, and what is not there", async () => {
    const as = (authorization: string | undefined) => ({ authorization });
    assert.equal(
      await refusal("GET", LIST, as("Bearer https://storage.azure.com|other")),
      "403 AuthorizationPermissionMismatch",
    );
    assert.equal(await refusal("GET", LIST, as(undefined)), "401 NoAuthenticationInformation");
    assert.equal(await refusal("GET", LIST, as("SharedKey acme:x")), "403 KeyBasedAuthenticationNotPermitted");
    assert.equal((await ask("GET", LIST, as("Bearer https://vault.azure.net|reader"))).status, 401);
    assert.equal(await refusal("GET", LIST.replace("manifests", "other")), "404 ContainerNotFound");
    assert.equal(await refusal("GET", LIST.replace("acme", "contoso")), "404 ResourceNotFound");
    assert.equal(await refusal("GET", `${CONTAINER}/c.yaml`), "404 BlobNotFound");
    assert.equal(await refusal("GET", `${LIST}&maxresults=0`), "400 OutOfRangeQueryParameterValue");
    assert.equal(await refusal("GET", LIST, { "x-ms-version": undefined }), "400 InvalidHeaderValue");
    assert.equal(await refusal("GET", LIST, { "x-ms-version": "2015-02-21" }), "400 InvalidHeaderValue");
    assert.equal(await refusal("PUT", `${CONTAINER}/c.yaml`), "405 UnsupportedHttpVerb");
  });
});
