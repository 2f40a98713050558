// The engine's requests, answered by a provider's handlers.

import type grpc from "@grpc/grpc-js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import { completeDiff, detailedDiff } from "./diff.ts";
import type { EngineLog } from "./engineLog.ts";
import { toServiceError } from "./failure.ts";
import {
  type Context,
  type Diff,
  type DiffKind,
  type Existing,
  INSTANCE,
  PartialFailure,
  type Properties,
  type Provider,
  type ResourceHandler,
} from "./handler.ts";
import { Operations } from "./operations.ts";
import { fromStruct, hasUnknown, toStruct } from "./property.ts";

const KINDS: Readonly<Record<DiffKind, providerPb.PropertyDiff.Kind>> = {
  add: providerPb.PropertyDiff.Kind.ADD,
  "add-replace": providerPb.PropertyDiff.Kind.ADD_REPLACE,
  delete: providerPb.PropertyDiff.Kind.DELETE,
  "delete-replace": providerPb.PropertyDiff.Kind.DELETE_REPLACE,
  update: providerPb.PropertyDiff.Kind.UPDATE,
  "update-replace": providerPb.PropertyDiff.Kind.UPDATE_REPLACE,
};

/** The gRPC service of one provider. */
export class ProviderService {
  readonly #provider: Provider;
  readonly #log: EngineLog;
  readonly #operations: Operations;
  /** By URN, what the engine made, changed or compared in this run; what it only deletes is not here. */
  readonly #living = new Map<string, Existing>();

  constructor(provider: Provider, log: EngineLog) {
    this.#provider = provider;
    this.#log = log;
    this.#operations = new Operations(log);
  }

  /** The methods by the names of provider.proto; those that are left out are answered with UNIMPLEMENTED. */
  implementation(): grpc.UntypedServiceImplementation {
    return {
      handshake: unary(async () => this.#handshake()),
      attach: unary(async (request: pluginPb.PluginAttach) => this.#attach(request)),
      getPluginInfo: unary(async () => this.#pluginInfo()),
      getSchema: unary(async () => this.#schema()),
      checkConfig: unary(async (request: providerPb.CheckRequest) => this.#checkConfig(request)),
      diffConfig: unary(async (request: providerPb.DiffRequest) => this.#diffConfig(request)),
      configure: unary((request: providerPb.ConfigureRequest) => this.#configure(request)),
      invoke: unary((request: providerPb.InvokeRequest) => this.#invoke(request)),
      check: unary((request: providerPb.CheckRequest) => this.#check(request)),
      diff: unary((request: providerPb.DiffRequest) => this.#diff(request)),
      create: unary(
        (request: providerPb.CreateRequest) => this.#create(request),
        (request) => fromStruct(request.getProperties()),
      ),
      read: unary(
        (request: providerPb.ReadRequest) => this.#read(request),
        (request) => fromStruct(request.getInputs()),
      ),
      update: unary(
        (request: providerPb.UpdateRequest) => this.#update(request),
        (request) => fromStruct(request.getNews()),
      ),
      delete: unary((request: providerPb.DeleteRequest) => this.#delete(request)),
      cancel: unary(async () => {
        // The engine also says this at the end of every run, so it must not end the process.
        this.#operations.cancel();
        return new emptyPb.Empty();
      }),
    };
  }

  #handshake(): providerPb.ProviderHandshakeResponse {
    // Without acceptSecrets the engine sends plain values and marks the same properties of the answers as secret.
    const response = new providerPb.ProviderHandshakeResponse();
    response.setAcceptSecrets(false);
    response.setAcceptResources(false);
    response.setAcceptOutputs(false);
    return response;
  }

  #attach(request: pluginPb.PluginAttach): emptyPb.Empty {
    this.#log.connect(request.getAddress());
    return new emptyPb.Empty();
  }

  #pluginInfo(): pluginPb.PluginInfo {
    const info = new pluginPb.PluginInfo();
    info.setVersion(this.#provider.version);
    return info;
  }

  #schema(): providerPb.GetSchemaResponse {
    const { name, version } = this.#provider;
    const response = new providerPb.GetSchemaResponse();
    response.setSchema(JSON.stringify(this.#provider.schema?.() ?? { name, version }));
    return response;
  }

  #checkConfig(request: providerPb.CheckRequest): providerPb.CheckResponse {
    const response = new providerPb.CheckResponse();
    response.setInputs(request.getNews());
    return response;
  }

  #diffConfig(request: providerPb.DiffRequest): providerPb.DiffResponse {
    const old = fromStruct(request.getOldInputs() ?? request.getOlds());
    const next = fromStruct(request.getNews());
    const changes = Object.keys(detailedDiff(old, next)).length > 0;
    return diffResponse(completeDiff({ changes }, old, next, request.getIgnorechangesList()));
  }

  async #configure(request: providerPb.ConfigureRequest): Promise<providerPb.ConfigureResponse> {
    await this.#provider.configure?.(fromStruct(request.getArgs()));
    const response = new providerPb.ConfigureResponse();
    response.setAcceptsecrets(false);
    response.setSupportspreview(true);
    response.setAcceptresources(false);
    response.setAcceptoutputs(false);
    return response;
  }

  async #invoke(request: providerPb.InvokeRequest): Promise<providerPb.InvokeResponse> {
    const { name, version, invoke } = this.#provider;
    if (invoke === undefined) throw new Error(`provider ${name} ${version} has no function ${request.getTok()}`);
    const result = await invoke.call(this.#provider, request.getTok(), fromStruct(request.getArgs()));
    const response = new providerPb.InvokeResponse();
    response.setReturn(toStruct(result));
    return response;
  }

  #check(request: providerPb.CheckRequest): Promise<providerPb.CheckResponse> {
    return this.#run(request, async (handler, context) => {
      const inputs = fromStruct(request.getNews());
      const olds = fromStruct(request.getOlds());
      // The engine sends an empty map for "there is no old resource".
      const old = Object.keys(olds).length > 0 ? olds : undefined;
      const seed = request.getRandomseed_asU8();
      const checked = handler.check === undefined ? { inputs } : await handler.check(inputs, old, context, seed);
      const response = new providerPb.CheckResponse();
      response.setInputs(toStruct(checked.inputs));
      response.setFailuresList((checked.failures ?? []).map(toFailure));
      return response;
    });
  }

  #diff(request: providerPb.DiffRequest): Promise<providerPb.DiffResponse> {
    return this.#run(request, async (handler, context) => {
      const existing = existingOf(request);
      const next = fromStruct(request.getNews());
      this.#living.set(context.urn, existing);
      const answer = handler.diff ? await handler.diff(existing, next, context) : defaultDiff(handler, existing, next);
      return diffResponse(completeDiff(answer, existing.inputs, next, request.getIgnorechangesList()));
    });
  }

  #create(request: providerPb.CreateRequest): Promise<providerPb.CreateResponse> {
    return this.#run(request, async (handler, context) => {
      const inputs = fromStruct(request.getProperties());
      const response = new providerPb.CreateResponse();
      if (context.preview) {
        const outputs = handler.preview ? await handler.preview(inputs, undefined, context) : inputs;
        response.setProperties(toStruct(outputs));
        return response;
      }
      refuseUnknown(inputs);
      const { id, state } = await this.#made(context.urn, inputs, () => handler.create(inputs, context));
      if (id === "") throw new Error(`${context.type} was created without an id; this is a fault of the provider`);
      response.setId(id);
      response.setProperties(toStruct(state));
      return response;
    });
  }

  #read(request: providerPb.ReadRequest): Promise<providerPb.ReadResponse> {
    return this.#run(request, async (handler, context) => {
      const id = request.getId();
      const inputs = fromStruct(request.getInputs());
      const state = fromStruct(request.getProperties());
      const response = new providerPb.ReadResponse();
      if (handler.read === undefined && Object.keys(state).length === 0) {
        throw new Error(`${context.type} cannot be imported: it has nothing in the cloud that could be read`);
      }
      const found = handler.read ? await handler.read(id, inputs, state, context) : { id, inputs, state };
      if (found === undefined) return response; // An empty id tells the engine that the resource is gone.
      response.setId(found.id);
      response.setInputs(toStruct(found.inputs));
      response.setProperties(toStruct(found.state));
      return response;
    });
  }

  #update(request: providerPb.UpdateRequest): Promise<providerPb.UpdateResponse> {
    return this.#run(request, async (handler, context) => {
      const existing = existingOf(request);
      const inputs = fromStruct(request.getNews());
      const response = new providerPb.UpdateResponse();
      if (context.preview) {
        const outputs = handler.preview ? await handler.preview(inputs, existing, context) : inputs;
        response.setProperties(toStruct(outputs));
        return response;
      }
      refuseUnknown(inputs);
      if (handler.update === undefined) throw new Error(`${context.type} cannot be updated, only replaced`);
      const update = handler.update.bind(handler);
      const { state } = await this.#made(context.urn, inputs, async () => {
        return { id: existing.id, state: await update(existing, inputs, context) };
      });
      response.setProperties(toStruct(state));
      return response;
    });
  }

  #delete(request: providerPb.DeleteRequest): Promise<emptyPb.Empty> {
    return this.#run(request, async (handler, context) => {
      const state = fromStruct(request.getProperties());
      const existing = { id: request.getId(), inputs: fromStruct(request.getOldInputs()), state };
      const successor = this.#successorOf(existing, context);
      await handler.delete?.(existing, context, successor);
      if (successor === undefined) this.#living.delete(context.urn);
      return new emptyPb.Empty();
    });
  }

  /** Keeps in mind what an operation leaves, also where it is not all that it should be. */
  async #made(urn: string, inputs: Properties, operation: () => Promise<{ id: string; state: Properties }>) {
    try {
      const made = await operation();
      this.#living.set(urn, { inputs, ...made });
      return made;
    } catch (error) {
      if (error instanceof PartialFailure) this.#living.set(urn, { id: error.id, inputs, state: error.state });
      throw error;
    }
  }

  /**
   * What took an instance's place: the engine does not say whether it deletes because of a replacement, in this run or in
   * one that was interrupted. Before it deletes what was replaced, though, it makes what lives (also where a replacement
   * was asked for, which it does not compare) or compares it (also where no input changed). A `destroy` does neither, nor
   * does one that runs the program: all of it goes then. With targets it deletes only what these are, and their
   * dependents where those are meant too, which it compares as well.
   *
   * So the successor of what an earlier, interrupted run replaced stays unknown, and all that the old one has goes, only
   * where the living one
   * - is compared by another process: a provider resource of its own took the place of the old one's;
   * - has another URN: an alias names the old one's;
   * - has no instance: the program's `import` took it over;
   * - is not compared: the engine is told to leave out resources without changed inputs (PULUMI_ENABLE_LEGACY_DIFF), or
   *   only the old one depends on a target whose dependents are meant, or on what is deleted before its replacement.
   */
  #successorOf({ state }: Existing, { urn }: Context): Existing | undefined {
    const living = this.#living.get(urn);
    const [own, other] = [state[INSTANCE], living?.state[INSTANCE]];
    if (living === undefined || other === undefined || other === own) return undefined;
    // As the engine would give it: without marks of secrets.
    return { ...living, state: fromStruct(toStruct(living.state)) };
  }

  /** Runs an operation of the handler that the request's type has. */
  #run<T>(
    request: Parameters<Operations["run"]>[0],
    operation: (handler: ResourceHandler, context: Context) => Promise<T>,
  ): Promise<T> {
    return this.#operations.run(request, (context) => {
      const handler = this.#provider.resource(context.type);
      if (handler === undefined) {
        const { name, version } = this.#provider;
        throw new Error(`provider ${name} ${version} has no resource type ${context.type}`);
      }
      return operation(handler, context);
    });
  }
}

/** A gRPC method of an async function; `inputs` gives what the engine keeps with a partial failure. */
function unary<Request, Response>(
  method: (request: Request) => Promise<Response>,
  inputs?: (request: Request) => Properties,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    method(call.request).then(
      (response) => callback(null, response),
      (error) => callback(toServiceError(error, inputs?.(call.request)), null),
    );
  };
}

function existingOf(request: providerPb.DiffRequest | providerPb.UpdateRequest): Existing {
  const state = fromStruct(request.getOlds());
  const inputs = request.getOldInputs();
  return { id: request.getId(), state, inputs: inputs === undefined ? state : fromStruct(inputs) };
}

/** Every changed input is an update, or a replacement where the resource cannot be updated. */
function defaultDiff(handler: ResourceHandler, existing: Existing, next: Properties): Diff {
  const detailed = detailedDiff(existing.inputs, next);
  const changes = Object.keys(detailed).length > 0;
  if (handler.update !== undefined) return { changes, detailed };
  const replacing = Object.entries(detailed).map(([path, { kind, inputDiff }]) => [
    path,
    { kind: `${kind}-replace` as DiffKind, inputDiff },
  ]);
  return { changes, detailed: Object.fromEntries(replacing) };
}

function diffResponse(diff: Diff): providerPb.DiffResponse {
  const response = new providerPb.DiffResponse();
  const { DIFF_SOME, DIFF_NONE } = providerPb.DiffResponse.DiffChanges;
  response.setChanges(diff.changes ? DIFF_SOME : DIFF_NONE);
  response.setReplacesList([...(diff.replaces ?? [])]);
  response.setDeletebeforereplace(diff.deleteBeforeReplace ?? false);
  const detailed = Object.entries(diff.detailed ?? {});
  for (const [path, { kind, inputDiff }] of detailed) {
    const change = new providerPb.PropertyDiff();
    change.setKind(KINDS[kind]);
    change.setInputdiff(inputDiff);
    response.getDetaileddiffMap().set(path, change);
  }
  response.setHasdetaileddiff(detailed.length > 0);
  return response;
}

function toFailure({ property, reason }: { property: string; reason: string }): providerPb.CheckFailure {
  const failure = new providerPb.CheckFailure();
  failure.setProperty(property);
  failure.setReason(reason);
  return failure;
}

function refuseUnknown(inputs: Properties): void {
  const unknown = Object.keys(inputs).filter((key) => hasUnknown(inputs[key]));
  if (unknown.length > 0) throw new Error(`unknown outside a preview: ${unknown.join(", ")}`);
}
