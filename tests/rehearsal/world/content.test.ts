// What the upstream of a running rehearsal holds when the settings change.
import { strict as assert } from "node:assert";
import { join } from "node:path";
import { describe, it } from "mocha";
import { Authority } from "../../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../../rehearsal/cloud/door/door.ts";
import { type CloudFile, control, pathsOf } from "../../../rehearsal/session.ts";
import { addContent, makeServices } from "../../../rehearsal/world/services.ts";
import { settingsOf } from "../../settings/settingsOf.ts";
import { listen } from "../../support/loopback.ts";
import { ask } from "../cloud/request.ts";

const ids = {
  tenantId: "5b6f3f4e-0d6a-4f0f-9a55-000000000001",
  subscriptionId: "c0ffee00-6a1d-4b52-8d35-000000000002",
};

describe("the upstream of a running rehearsal", () => {
  it("serves a chart's URL that was wrong for a while and is put right again", async () => {
    const services = await makeServices(ids, pathsOf(join("test", "content")), () => {});
    const door = new Door(await Authority.create());
    const chart = (repository: string) =>
      addContent(
        door,
        services,
        settingsOf({ charts: [{ name: "kured", version: "6.1.0", namespace: "baseline", repository }] }),
      );
    const [right, wrong] = ["https://kubereboot.github.io/charts", "https://kubereboot.github.io/chart"];
    const status = async (url: string) => (await ask(services.charts.service, "GET", url)).status;
    await chart(right);
    await chart(wrong);
    for (const file of ["index.yaml", "kured-6.1.0.tgz"]) assert.equal(await status(`${right}/${file}`), 200);
    assert.deepEqual(services.charts.hosts, ["kubereboot.github.io"]);
    assert.equal(await status("https://kubereboot.github.io/other/index.yaml"), 404);
  });

  it("is told of in its own words where it cannot hold what is asked for", async () => {
    const cloud = await listen(() => ({
      status: 500,
      body: { error: "The rehearsal cannot serve the chart other 1.0.0" },
    }));
    const file = { control: { port: Number(new URL(cloud.origin).port), token: "" } } as CloudFile;
    await assert.rejects(control(file, "/content", "POST"), {
      message: "The rehearsal cannot serve the chart other 1.0.0",
    });
    await cloud.close();
  });
});
