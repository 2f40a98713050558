import { strict as assert } from "node:assert";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import grpc from "@grpc/grpc-js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import { after, before, describe, it } from "mocha";
import { UNKNOWN } from "../../plugin/handler.ts";
import { fromStruct, toStruct } from "../../plugin/property.ts";
import { ROOT } from "../support/engine.ts";

const MEGABYTES = 1024 * 1024;

/** The test plugin as the engine starts it: stdin is a pipe, the engine's address an argument. */
async function startPlugin(store: string): Promise<{ plugin: ChildProcess; port: number }> {
  // Nobody listens at the address: messages get lost, and that must not matter.
  const plugin = spawn(join(ROOT, "tests/plugin/testPlugin/pulumi-resource-test"), ["127.0.0.1:1"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, TEST_STORE: store, PATH: `${join(process.execPath, "..")}:${process.env.PATH}` },
  });
  const [line] = (await once(plugin.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return { plugin, port: Number(line.toString().trim()) };
}

describe("a plugin's server", () => {
  let store: string;
  let plugin: ChildProcess;
  let client: providerGrpc.ResourceProviderClient;

  before(async () => {
    store = await mkdtemp(join(tmpdir(), "aks-gitops-server-"));
    const started = await startPlugin(store);
    plugin = started.plugin;
    client = new providerGrpc.ResourceProviderClient(`127.0.0.1:${started.port}`, grpc.credentials.createInsecure(), {
      "grpc.max_receive_message_length": 400 * MEGABYTES,
      "grpc.max_send_message_length": 400 * MEGABYTES,
    });
  });

  after(async () => {
    client.close();
    plugin.kill();
    await rm(store, { recursive: true, force: true });
  });

  const create = (type: string, inputs: Record<string, unknown>, preview = false) => {
    const request = new providerPb.CreateRequest();
    request.setUrn(`urn:pulumi:dev::p::some:Parent$${type}::thing`);
    request.setProperties(toStruct(inputs));
    request.setPreview(preview);
    return new Promise<providerPb.CreateResponse>((resolve, reject) => {
      client.create(request, (error, response) => (error ? reject(error) : resolve(response)));
    });
  };

  const cancel = () =>
    new Promise<void>((resolve, reject) => {
      client.cancel(new emptyPb.Empty(), (error) => (error ? reject(error) : resolve()));
    });

  it("takes the type from the URN where the request has none", async () => {
    const response = await create("test:index:Thing", { name: "n", value: "v" });
    assert.equal(response.getId(), "n");
    assert.equal(fromStruct(response.getProperties()).shout, "V");
  });

  it("refuses unknown inputs outside a preview, naming them, and takes them in one", async () => {
    const inputs = { name: "n", list: [{ a: UNKNOWN }] };
    await assert.rejects(create("test:index:Bare", inputs), /unknown outside a preview: list/);
    const response = await create("test:index:Bare", inputs, true);
    assert.deepEqual(fromStruct(response.getProperties()), inputs);
    assert.equal(response.getId(), "");
  });

  it("takes and gives messages far above gRPC's 4 MB", async () => {
    const big = "x".repeat(20 * MEGABYTES);
    const response = await create("test:index:Bare", { big });
    assert.equal(fromStruct(response.getProperties()).big, big);
  });

  it("stops what is under way when the engine cancels, and goes on serving", async () => {
    const waiting = create("test:index:Thing", { name: "w", value: "wait" });
    const settled = assert.rejects(waiting, /2 UNKNOWN: cancelled/);
    // The create has arrived when a later one on the same connection is answered.
    await create("test:index:Bare", {});
    await cancel();
    await settled;
    assert.equal((await create("test:index:Bare", {})).getId(), "bare");
  });

  it("calls functions, and says which it does not have", async () => {
    const invoke = (token: string) => {
      const request = new providerPb.InvokeRequest();
      request.setTok(token);
      request.setArgs(toStruct({ say: "hi" }));
      return new Promise<providerPb.InvokeResponse>((resolve, reject) => {
        client.invoke(request, (error, response) => (error ? reject(error) : resolve(response)));
      });
    };
    assert.deepEqual(fromStruct((await invoke("test:index:echo")).getReturn()), { said: "hi" });
    await assert.rejects(invoke("test:index:other"), /no function test:index:other/);
  });

  it("ends when the engine is gone without having ended it", async () => {
    const { plugin: orphan } = await startPlugin(store);
    orphan.stdin?.destroy();
    const [code] = (await once(orphan, "exit")) as [number];
    assert.equal(code, 0);
  });
});
