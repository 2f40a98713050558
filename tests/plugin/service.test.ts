import { strict as assert } from "node:assert";
import type grpc from "@grpc/grpc-js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import { beforeEach, describe, it } from "mocha";
import { EngineLog } from "../../plugin/engineLog.ts";
import { type Existing, PartialFailure, type Properties, type ResourceHandler, Secret } from "../../plugin/handler.ts";
import { toStruct } from "../../plugin/property.ts";
import { ProviderService } from "../../plugin/service.ts";

const URN = "urn:pulumi:dev::p::test:index:Thing::thing";
const OTHER = "urn:pulumi:dev::p::test:index:Thing::other";

describe("what a handler's delete learns of the resource's successor", () => {
  let service: grpc.UntypedServiceImplementation;
  let instances: number;
  /** What the deletes were told, in their order. */
  let told: { deleted: Existing; successor: Existing | undefined }[];

  beforeEach(() => {
    instances = 0;
    told = [];
    const handler: ResourceHandler = {
      async create(inputs) {
        const state = { ...inputs, ...(inputs.bare ? {} : { instance: `new-${++instances}` }), key: new Secret("k") };
        if (inputs.half) throw new PartialFailure("id", state, ["it never became ready"]);
        if (inputs.fails) throw new Error("refused");
        return { id: "id", state };
      },
      async update({ state }, inputs) {
        const next = { ...inputs, instance: state.instance };
        if (inputs.half) throw new PartialFailure("id", next, ["it never became ready"]);
        return next;
      },
      async delete(deleted, _context, successor) {
        if (deleted.state.stuck) throw new Error("cannot be deleted");
        told.push({ deleted, successor });
      },
    };
    const provider = { name: "test", version: "1.0.0", resource: () => handler };
    service = new ProviderService(provider, new EngineLog()).implementation();
  });

  /** Calls a method as the engine does. */
  const call = (method: string, request: object) =>
    new Promise<void>((resolve, reject) => {
      const answer: grpc.sendUnaryData<unknown> = (error) => (error ? reject(new Error(error.details)) : resolve());
      (service[method] as grpc.handleUnaryCall<unknown, unknown>)(
        { request } as grpc.ServerUnaryCall<unknown, unknown>,
        answer,
      );
    });

  const create = (inputs: Properties, { urn = URN, preview = false } = {}) => {
    const request = new providerPb.CreateRequest();
    request.setUrn(urn);
    request.setProperties(toStruct(inputs));
    request.setPreview(preview);
    return call("create", request);
  };
  const diff = (state: Properties, urn = URN) => {
    const request = new providerPb.DiffRequest();
    request.setUrn(urn);
    request.setId("id");
    for (const set of [request.setOldInputs, request.setOlds, request.setNews]) set.call(request, toStruct(state));
    return call("diff", request);
  };
  const update = (state: Properties, inputs: Properties) => {
    const request = new providerPb.UpdateRequest();
    request.setUrn(URN);
    request.setId("id");
    for (const set of [request.setOldInputs, request.setOlds]) set.call(request, toStruct(state));
    request.setNews(toStruct(inputs));
    return call("update", request);
  };
  /** Deletes a state, and gives the state of what took its place. */
  const remove = async (state: Properties, urn = URN) => {
    const request = new providerPb.DeleteRequest();
    request.setUrn(urn);
    request.setId("id");
    request.setOldInputs(toStruct(state));
    request.setProperties(toStruct(state));
    await call("delete", request);
    return told.at(-1)?.successor?.state;
  };
  const old = { instance: "old", size: 1 };

  it("names what was made in the same run, as the engine would give it", async () => {
    await diff(old);
    await create({ size: 2 });
    assert.deepEqual(await remove(old), { size: 2, instance: "new-1", key: "k" });
    assert.deepEqual(told[0]?.successor?.inputs, { size: 2 });
    assert.equal(told[0]?.successor?.id, "id");
    assert.deepEqual(told[0]?.deleted.state, old);
  });

  it("names it where the engine did not compare the old one, as with --replace", async () => {
    await create({ size: 2 });
    assert.equal((await remove(old))?.instance, "new-1");
  });

  it("names what lives after a replacement in an earlier, interrupted run", async () => {
    await diff({ instance: "new", size: 2 });
    assert.deepEqual(await remove(old), { instance: "new", size: 2 });
  });

  it("names what lives as an update left it", async () => {
    await diff({ instance: "new", size: 2 });
    await update({ instance: "new", size: 2 }, { size: 3 });
    assert.deepEqual(await remove(old), { instance: "new", size: 3 });
  });

  it("names what was made or changed only in part", async () => {
    await assert.rejects(create({ half: true }), /never became ready/);
    assert.equal((await remove(old))?.instance, "new-1");
    await assert.rejects(update({ instance: "new-1" }, { half: true, size: 4 }), /never became ready/);
    assert.equal((await remove(old))?.size, 4);
  });

  it("names the one that lives of several that were replaced one after the other", async () => {
    await diff({ instance: "third" });
    assert.equal((await remove({ instance: "first" }))?.instance, "third");
    assert.equal((await remove({ instance: "second" }))?.instance, "third");
  });

  it("names what has an instance where the old one is from a time when there were none", async () => {
    await create({ size: 2 });
    assert.equal((await remove({ size: 1 }))?.instance, "new-1");
  });

  it("names nothing for what is only deleted", async () => {
    assert.equal(await remove(old), undefined);
    assert.equal(told.length, 1);
  });

  it("names nothing when what lives is deleted itself, as before its replacement", async () => {
    await diff(old);
    assert.equal(await remove(old), undefined);
    await create({ size: 2 });
    assert.equal((await remove({ instance: "older" }))?.instance, "new-1");
  });

  it("names nothing that was deleted since", async () => {
    await diff({ instance: "new" });
    assert.equal(await remove({ instance: "new" }), undefined);
    assert.equal(await remove(old), undefined);
  });

  it("names what still lives because it could not be deleted", async () => {
    await diff({ instance: "new", stuck: true });
    await assert.rejects(remove({ instance: "new", stuck: true }), /cannot be deleted/);
    assert.equal((await remove(old))?.instance, "new");
  });

  it("names nothing that a preview only thought of, that failed, or that has another URN", async () => {
    await create({ size: 2 }, { preview: true });
    assert.equal(await remove(old), undefined);
    await assert.rejects(create({ fails: true }), /refused/);
    assert.equal(await remove(old), undefined);
    await create({ size: 2 }, { urn: OTHER });
    assert.equal(await remove(old), undefined);
  });

  it("names nothing where states have no instance", async () => {
    await diff({ size: 1 });
    await create({ size: 2, bare: true });
    assert.equal(await remove({ size: 1 }), undefined);
  });
});
