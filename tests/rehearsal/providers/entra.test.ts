// How the stand-ins of the official providers sign in, as azure-native does in CI.
import { strict as assert } from "node:assert";
import { afterEach, describe, it } from "mocha";
import { EntraTokens, entraClient } from "../../../rehearsal/providers/shared/entra.ts";
import { setEnvironment } from "../../support/environment.ts";

const NONE = {
  ...{ ARM_CLIENT_SECRET: undefined, ARM_OIDC_TOKEN: undefined, ARM_OIDC_TOKEN_FILE_PATH: undefined },
  ...{ ARM_OIDC_REQUEST_URL: undefined, ARM_OIDC_REQUEST_TOKEN: undefined },
  ...{ ACTIONS_ID_TOKEN_REQUEST_URL: undefined, ACTIONS_ID_TOKEN_REQUEST_TOKEN: undefined },
  ...{ ARM_TENANT_ID: "tenant", ARM_CLIENT_ID: "client", ARM_USE_OIDC: "true" },
};
const JOB = {
  ACTIONS_ID_TOKEN_REQUEST_URL: "https://jobs.example/1/idtoken?api-version=2.0",
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: "the job's",
};

describe("a stand-in's sign-in", () => {
  let restore = () => {};
  const original = globalThis.fetch;
  afterEach(() => {
    restore();
    globalThis.fetch = original;
  });

  /** The requests that a token costs, where the job's service gives this answer. */
  async function requests(environment: Record<string, string>, answer = new Response('{"value":"about the job"}')) {
    restore = setEnvironment({ ...NONE, ...environment });
    const sent: { url: string; authorization: string | null; assertion: string | null }[] = [];
    globalThis.fetch = async (input, init) => {
      const url = String(input);
      const authorization = new Headers(init?.headers).get("authorization");
      sent.push({ url, authorization, assertion: new URLSearchParams(String(init?.body)).get("client_assertion") });
      return url.startsWith("https://jobs.example/") ? answer : Response.json({ access_token: "a", expires_in: 3600 });
    };
    await new EntraTokens(entraClient({})).token("https://management.azure.com/.default");
    return sent;
  }

  it("asks GitHub for the job's token, for Entra, and shows it to Entra", async () => {
    const [asked, shown] = await requests(JOB);
    assert.deepEqual(asked, {
      url: "https://jobs.example/1/idtoken?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange",
      authorization: "Bearer the job's",
      assertion: null,
    });
    assert.equal(shown?.assertion, "about the job");
  });

  it("takes a token that is there before it asks for one", async () => {
    const sent = await requests({ ...JOB, ARM_OIDC_TOKEN: "at hand" });
    assert.deepEqual(
      sent.map(({ assertion }) => assertion),
      ["at hand"],
    );
  });

  it("says where it gets none", async () => {
    await assert.rejects(
      requests(JOB, new Response("{}", { status: 401 })),
      /jobs\.example gives no token: status 401/,
    );
    restore();
    await assert.rejects(requests({}), /no way to sign in/);
  });
});
