// What programs see of the plugin's resources (provider/sdk) is what the plugin takes and gives: types and documentation.

import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { before, describe, it } from "mocha";
import ts from "typescript";
import type * as z from "zod";
import { type FunctionSpec, type ObjectSpec, packageSchema } from "../../plugin/packageSchema.ts";
import type { Inputs, ResourceSchema, State } from "../../plugin/schema.ts";
import { AGENT_POOL } from "../../provider/azure/agentPool.ts";
import { GET_EXISTING } from "../../provider/azure/getExisting.ts";
import { MANAGED_CLUSTER } from "../../provider/azure/managedCluster.ts";
import { NAT_GATEWAY } from "../../provider/azure/natGateway.ts";
import { NETWORK_PEERING } from "../../provider/azure/networkPeering.ts";
import { VAULT_KEY } from "../../provider/azure/vaultKey.ts";
import { ZONE_LINK } from "../../provider/azure/zoneLink.ts";
import { FLUX_CONFIGURATION_READY } from "../../provider/flux/fluxConfigurationReady.ts";
import { FLUX_INSTALL } from "../../provider/flux/fluxInstall.ts";
import { FLUX_READY } from "../../provider/flux/fluxReady.ts";
import { GET_FOREIGN_IMAGES } from "../../provider/git/foreignImages.ts";
import { GIT_COMMIT } from "../../provider/git/gitCommitInputs.ts";
import { CHART_MIRROR } from "../../provider/mirror/chartMirror.ts";
import { IMAGE_IMPORT } from "../../provider/mirror/imageImport.ts";
import { AcceptedPassword } from "../../provider/sdk/acceptedPassword.ts";
import { AgentPool } from "../../provider/sdk/agentPool.ts";
import { ChartMirror } from "../../provider/sdk/chartMirror.ts";
import { EncryptedSecret } from "../../provider/sdk/encryptedSecret.ts";
import { FluxConfigurationReady } from "../../provider/sdk/fluxConfigurationReady.ts";
import { FluxInstall } from "../../provider/sdk/fluxInstall.ts";
import { FluxReady } from "../../provider/sdk/fluxReady.ts";
import { GitCommit } from "../../provider/sdk/gitCommit.ts";
import { ImageImport } from "../../provider/sdk/imageImport.ts";
import { KeyInUse } from "../../provider/sdk/keyInUse.ts";
import { ManagedCluster } from "../../provider/sdk/managedCluster.ts";
import { NatGateway } from "../../provider/sdk/natGateway.ts";
import { NetworkPeering } from "../../provider/sdk/networkPeering.ts";
import { VaultKey } from "../../provider/sdk/vaultKey.ts";
import { ZoneLink } from "../../provider/sdk/zoneLink.ts";
import { ACCEPTED_PASSWORD } from "../../provider/secret/acceptedPassword.ts";
import { ENCRYPTED_SECRET } from "../../provider/secret/encryptedSecret.ts";
import { KEY_IN_USE } from "../../provider/secret/keyInUse.ts";
import { ROOT } from "../support/engine.ts";

/** A schema's values as a program gives them: every part may be an output. */
type Given<T> = T extends readonly (infer U)[]
  ? readonly pulumi.Input<Given<U>>[]
  : T extends object
    ? { readonly [K in keyof T]: pulumi.Input<Given<Exclude<T[K], undefined>>> }
    : T;
type ArgsOf<S extends ResourceSchema> = Given<z.input<S["inputs"]>>;

type ReadOnly<T> = T extends object ? { readonly [K in keyof T]: ReadOnly<T[K]> } : T;

/** The outputs that a class declares, and those that the plugin gives under the same names. */
type Declared<C> = Omit<C, keyof pulumi.CustomResource>;
type OutputsOf<S extends ResourceSchema, C> = {
  readonly [K in keyof Declared<C>]: K extends keyof State<S> ? pulumi.Output<ReadOnly<State<S>[K]>> : never;
};
/** The names of outputs that no input has and the class lacks. */
type Missing<S extends ResourceSchema, C> = Exclude<keyof State<S>, keyof Inputs<S> | keyof C>;

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

type Flat<T> = { [K in keyof T]: T[K] };

/** The names of inputs that are anything to the plugin, and what Azure's own types say to a program. */
type Open<I> = { [K in keyof I]-?: unknown extends I[K][keyof I[K]] ? K : never }[keyof I];
type Closed<A, S extends ResourceSchema> = Omit<A, Open<z.input<S["inputs"]>>>;

/** Whether arguments and outputs of a class are those of its schema. */
type Agreement<S extends ResourceSchema, A, C> = {
  readonly args: Same<Flat<Closed<A, S>>, Flat<Closed<ArgsOf<S>, S>>>;
  readonly names: Same<keyof A, keyof ArgsOf<S>>;
  readonly outputs: Same<Flat<Declared<C>>, Flat<OutputsOf<S, C>>>;
  readonly missing: Missing<S, C>;
};

interface Agreed {
  readonly args: true;
  readonly names: true;
  readonly outputs: true;
  readonly missing: never;
}

/** A schema and its class; where they do not agree it does not compile. */
function pair<S extends ResourceSchema, A, C extends pulumi.CustomResource>(
  schema: S,
  resource: new (name: string, args: A, opts?: pulumi.CustomResourceOptions) => C,
  ..._disagreement: Agreement<S, A, C> extends Agreed ? [] : [Agreement<S, A, C>]
) {
  return { schema, name: resource.name, make: () => new resource("x", {} as A) };
}

const PAIRS = [
  pair(ACCEPTED_PASSWORD, AcceptedPassword),
  pair(AGENT_POOL, AgentPool),
  pair(CHART_MIRROR, ChartMirror),
  pair(ENCRYPTED_SECRET, EncryptedSecret),
  pair(FLUX_CONFIGURATION_READY, FluxConfigurationReady),
  pair(FLUX_INSTALL, FluxInstall),
  pair(FLUX_READY, FluxReady),
  pair(GIT_COMMIT, GitCommit),
  pair(IMAGE_IMPORT, ImageImport),
  pair(KEY_IN_USE, KeyInUse),
  pair(MANAGED_CLUSTER, ManagedCluster),
  pair(NAT_GATEWAY, NatGateway),
  pair(NETWORK_PEERING, NetworkPeering),
  pair(VAULT_KEY, VaultKey),
  pair(ZONE_LINK, ZoneLink),
];

describe("what programs see of the plugin's resources", () => {
  const tokens: string[] = [];
  before(() =>
    pulumi.runtime.setMocks({
      newResource: ({ type, inputs }) => {
        tokens.push(type);
        return { id: "x", state: inputs };
      },
      call: () => ({}),
    }),
  );

  for (const { schema, name, make } of PAIRS)
    it(`is registered by its token, with every output of it in a preview too: ${name}`, async () => {
      const resource = make();
      for (const output of Object.keys(schema.outputs.shape).filter((one) => !Object.hasOwn(schema.inputs.shape, one)))
        assert.ok(pulumi.Output.isInstance(resource[output as keyof typeof resource]), `${output} is no output`);
      await pulumi.runtime.disconnect();
      assert.equal(tokens.pop(), schema.token);
      assert.equal(schema.token, `gitops:index:${name}`);
    });

  const described = packageSchema(
    { name: "gitops", version: "1.0.0", description: "" },
    PAIRS.map(({ schema }) => schema),
  );
  /** What a schema says, in one line for each thing. */
  const saidOf = (what: string, { description = "", properties }: Pick<ObjectSpec, "description" | "properties">) => ({
    ...(description && { [what]: oneLine(description) }),
    ...Object.fromEntries(
      Object.entries(properties).map(([name, spec]) => [`${what}.${name}`, oneLine(spec.description ?? "")]),
    ),
  });

  for (const { schema, name } of PAIRS)
    it(`is documented as the schema is: ${name}`, () => {
      const documented = documentation(name);
      const spec = described.resources[schema.token];
      assert.ok(spec);
      const outputs = Object.fromEntries(
        Object.entries(spec.properties).filter(([property]) => Object.hasOwn(schema.outputs.shape, property)),
      );
      const expected = {
        ...saidOf(name, { description: spec.description ?? "", properties: outputs }),
        ...saidOf(`${name}Args`, { properties: spec.inputProperties }),
      };
      assert.deepEqual(
        Object.fromEntries(Object.keys(expected).map((what) => [what, documented[what] ?? "nothing"])),
        expected,
      );
    });

  for (const schema of [GET_EXISTING, GET_FOREIGN_IMAGES]) {
    const name = schema.token.replace("gitops:index:", "");
    it(`is documented as the schema is: ${name}`, () => {
      const documented = documentation(name);
      const { functions = {}, types } = packageSchema(
        { name: "gitops", version: "1.0.0", description: "" },
        [],
        [schema],
      );
      const { inputs, outputs } = Object.values(functions)[0] as FunctionSpec;
      const title = `${name[0]?.toUpperCase()}${name.slice(1)}`;
      const { ForeignImage: image } = Object.fromEntries(
        Object.entries(types).map(([token, spec]) => [token.replace("gitops:index:", ""), spec]),
      );
      const expected = {
        ...saidOf(`${title}Args`, inputs),
        ...saidOf(`${title}Result`, outputs),
        ...(image && saidOf("ForeignImage", image)),
      };
      assert.ok(Object.keys(expected).length > 5);
      assert.deepEqual(Object.fromEntries(Object.keys(expected).map((what) => [what, documented[what]])), expected);
    });
  }

  it("is documented as the schema is: types", () => {
    const files = { FluxComponentsArgs: "GitCommit", KustomizationEntries: "GitCommit", SopsRule: "GitCommit" };
    const places = {
      ...files,
      FluxInstallOptionsArgs: "GitCommit",
      GitAccessArgs: "GitCommit",
      GitHubAppArgs: "GitCommit",
      PersonArgs: "GitCommit",
      PullRequestArgs: "GitCommit",
      PullSecretArgs: "FluxInstall",
      DecryptSecretArgs: "FluxInstall",
      ReadingAppArgs: "FluxInstall",
      SshKeyArgs: "FluxInstall",
      RootArtifactArgs: "FluxInstall",
      ArtifactSecretArgs: "FluxInstall",
      PushedArtifactArgs: "FluxReady",
      AttachedArgs: "ImageImport",
      SourceCredentialsArgs: "ImageImport",
      UpgradeSettingsArgs: "AgentPool",
      ClusterSkuArgs: "ManagedCluster",
      ClusterIdentityArgs: "ManagedCluster",
    };
    const names = Object.keys(described.types).map((token) => token.replace("gitops:index:", ""));
    const interfaceOf = (name: string) => (Object.hasOwn(places, name) ? name : `${name}Args`);
    assert.deepEqual(names.map(interfaceOf).sort(), Object.keys(places).sort());
    for (const [interfaceName, resource] of Object.entries(places)) {
      const token = `gitops:index:${names.find((name) => interfaceOf(name) === interfaceName)}`;
      const expected = saidOf(interfaceName, described.types[token] ?? { properties: {} });
      const documented = documentation(resource);
      assert.deepEqual(Object.fromEntries(Object.keys(expected).map((what) => [what, documented[what]])), expected);
    }
  });
});

/** What a file of provider/sdk says, by `<declaration>` and `<declaration>.<member>`, each in one line. */
function documentation(resource: string): Record<string, string> {
  const file = `${resource[0]?.toLowerCase()}${resource.slice(1)}.ts`;
  const text = readFileSync(join(ROOT, "provider/sdk", file), "utf8");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
  const found: Record<string, string> = {};
  for (const declaration of source.statements) {
    if (!ts.isClassDeclaration(declaration) && !ts.isInterfaceDeclaration(declaration)) continue;
    const name = declaration.name?.text ?? "";
    found[name] = commentOf(declaration);
    for (const member of declaration.members)
      if (member.name) found[`${name}.${member.name.getText()}`] = commentOf(member);
  }
  return found;
}

function commentOf(node: ts.Node): string {
  const [comment] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const said = ts.getTextOfJSDocComment(comment?.comment) ?? "";
  const defaults = (comment?.tags ?? [])
    .filter((tag) => tag.tagName.text === "default")
    .map((tag) => ` Default: ${ts.getTextOfJSDocComment(tag.comment)}.`);
  return oneLine(said + defaults.join(""));
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
