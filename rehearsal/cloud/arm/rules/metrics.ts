// What keeps metrics and tells people.
import { createHash, randomUUID } from "node:crypto";
import type { ArmResource } from "../../types.ts";
import { type Behaviour, propertiesOf, type World } from "../behaviour.ts";
import { armError } from "../errors.ts";
import { GROUP_TYPE, key, same } from "../ids.ts";
import {
  ACCOUNT_TYPE,
  ACTION_GROUP_TYPE,
  ASSOCIATION_TYPE,
  ENDPOINT_TYPE,
  QUERY_RULE_TYPE,
  RULE_GROUP_TYPE,
  RULE_TYPE,
} from "../types/metrics.ts";
import { type Body, part } from "../validate.ts";

const bad = (problem: string) => armError(400, "BadRequest", problem);
const digits = (text: string, length: number) => createHash("sha256").update(key(text)).digest("hex").slice(0, length);
const region = (location: unknown) => String(location).replaceAll(" ", "").toLowerCase();
/** Receivers of other kinds than mail, which the program has none of. */
const OTHER_RECEIVERS = [
  "armRoleReceivers",
  "automationRunbookReceivers",
  "azureAppPushReceivers",
  "azureFunctionReceivers",
  "eventHubReceivers",
  "itsmReceivers",
  "logicAppReceivers",
  "smsReceivers",
  "voiceReceivers",
  "webhookReceivers",
];

/** These services are done when they answer. */
function settled(resource: ArmResource): void {
  resource.properties.provisioningState = "Succeeded";
  resource.etag = `"${randomUUID()}"`;
}

const list = (value: unknown): Body[] => (value ?? []) as Body[];

const ruleId = (id: string) => `dcr-${digits(id, 32)}`;

/** Where an endpoint is reached. */
function addresses({ id, name, location }: Pick<ArmResource, "id" | "name" | "location">): Body {
  const host = `${name.toLowerCase()}-${digits(id, 4)}.${location}-1`;
  return {
    immutableId: `dce-${digits(id, 32)}`,
    configurationAccess: { endpoint: `https://${host}.handler.control.monitor.azure.com` },
    logsIngestion: { endpoint: `https://${host}.ingest.monitor.azure.com` },
    metricsIngestion: { endpoint: `https://${host}.metrics.ingest.monitor.azure.com` },
  };
}

/** The group that Azure makes for what belongs to an Azure Monitor workspace. */
function managedGroup({ store, subscriptionId }: World, account: ArmResource): ArmResource {
  const name = `MA_${account.name.toLowerCase()}_${account.location}_managed`;
  const id = `/subscriptions/${subscriptionId}/resourceGroups/${name}`;
  const group = store.get(id) ?? {
    ...{ id, name, type: GROUP_TYPE, location: account.location as string, managedBy: account.id },
    properties: { provisioningState: "Succeeded" },
  };
  store.put(group);
  return group;
}

/** The endpoint and the rule that come with an Azure Monitor workspace. */
function ownIngestion(account: ArmResource, groupId: string): readonly [endpoint: ArmResource, rule: ArmResource] {
  const name = account.name.toLowerCase();
  const common = { name, location: account.location as string };
  const endpoint = { ...common, id: `${groupId}/providers/${ENDPOINT_TYPE}/${name}`, type: ENDPOINT_TYPE };
  const id = `${groupId}/providers/${RULE_TYPE}/${name}`;
  const streams = ["Microsoft-PrometheusMetrics"];
  const destination = { name: "MonitoringAccount1", accountResourceId: account.id };
  const provisioningState = "Succeeded";
  return [
    {
      ...endpoint,
      properties: { ...addresses(endpoint), networkAcls: { publicNetworkAccess: "Enabled" }, provisioningState },
    },
    {
      ...{ ...common, id, type: RULE_TYPE },
      properties: {
        immutableId: ruleId(id),
        dataCollectionEndpointId: endpoint.id,
        dataSources: { prometheusForwarder: [{ name: "PrometheusDataSource", streams, labelIncludeFilter: {} }] },
        destinations: { monitoringAccounts: [{ ...destination, accountId: account.properties.accountId }] },
        dataFlows: [{ streams, destinations: [destination.name] }],
        provisioningState,
      },
    },
  ];
}

export const metricsRules: Readonly<Record<string, Behaviour>> = {
  [ACCOUNT_TYPE]: {
    answers: { created: 200 },
    accepted(resource, { world, id }) {
      const { properties } = resource;
      settled(resource);
      properties.accountId ??= randomUUID();
      properties.metrics = {
        prometheusQueryEndpoint: `https://${id.name}-${digits(id.id, 16)}.${resource.location}.prometheus.monitor.azure.com`,
        internalId: `mac_${properties.accountId}`,
      };
      const [endpoint, rule] = ownIngestion(resource, managedGroup(world, resource).id);
      for (const one of [endpoint, rule]) if (world.store.get(one.id) === undefined) world.store.put(one);
      properties.defaultIngestionSettings = {
        dataCollectionRuleResourceId: rule.id,
        dataCollectionEndpointResourceId: endpoint.id,
      };
    },
    gone(resource, world) {
      const { id } = managedGroup(world, resource);
      for (const one of world.store.below(id)) world.store.remove(one.id);
      world.store.remove(id);
    },
  },
  [ENDPOINT_TYPE]: {
    answers: { created: 200 },
    accepted(resource) {
      settled(resource);
      Object.assign(resource.properties, addresses(resource));
    },
  },
  [RULE_TYPE]: {
    answers: { created: 200 },
    accepted(resource, { world }) {
      settled(resource);
      resource.properties.immutableId ??= ruleId(resource.id);
      for (const account of list(part(resource, "properties.destinations").monitoringAccounts))
        account.accountId = world.store.get(String(account.accountResourceId))?.properties.accountId;
    },
  },
  [ASSOCIATION_TYPE]: {
    answers: { created: 200 },
    check({ id, body }) {
      const { dataCollectionRuleId, dataCollectionEndpointId } = propertiesOf(body);
      if ((dataCollectionRuleId === undefined) === (dataCollectionEndpointId === undefined))
        throw armError(
          400,
          "InvalidPayload",
          "Exactly one of 'dataCollectionRuleId' and 'dataCollectionEndpointId' has to be set.",
        );
      if ((dataCollectionEndpointId !== undefined) !== (id.name === "configurationAccessEndpoint"))
        throw armError(
          400,
          "InvalidPayload",
          "An association with an endpoint, and no other one, is named 'configurationAccessEndpoint'.",
        );
    },
  },
  [ACTION_GROUP_TYPE]: {
    check({ body }) {
      const names = list(propertiesOf(body).emailReceivers).map(({ name }) => String(name).toLowerCase());
      if (new Set(names).size < names.length) throw bad("The names of receivers must be unique.");
    },
    accepted(resource) {
      resource.location = "Global";
      Object.assign(resource.properties, Object.fromEntries(OTHER_RECEIVERS.map((name) => [name, []])));
      for (const receiver of list(resource.properties.emailReceivers)) receiver.status = "Enabled";
    },
  },
  [QUERY_RULE_TYPE]: {
    check({ world, body }) {
      const { criteria, scopes, skipQueryValidation } = propertiesOf(body);
      for (const { query } of list(part({ criteria }, "criteria").allOf)) {
        if (!/\barg\(/.test(String(query))) continue;
        const [identity] = Object.keys(part(body, "identity.userAssignedIdentities"));
        if (identity === undefined) throw bad("A query of Azure Resource Graph needs a rule with a managed identity.");
        if (skipQueryValidation === true) continue;
        const principal = world.directory.find(String(world.store.get(identity)?.properties.principalId));
        const [scope = ""] = scopes as string[];
        const action = "Microsoft.OperationalInsights/workspaces/read";
        if (principal === undefined || !world.access.allows({ principal, groups: [] }, action, scope, "control"))
          throw bad(`The rule's identity '${identity}' may not read '${scope}'.`);
      }
    },
  },
  [RULE_GROUP_TYPE]: {
    answers: { created: 200 },
    check({ world, body }) {
      const { scopes, rules } = propertiesOf(body);
      const [account, ...clusters] = (scopes as string[]).map((scope) => world.store.get(scope));
      if (account === undefined || !same(account.type, ACCOUNT_TYPE) || clusters.length > 1)
        throw bad("The scopes are an Azure Monitor workspace, and one cluster at most.");
      if (region(account.location) !== region(body.location))
        throw bad("A rule group has to be in the region of its Azure Monitor workspace.");
      for (const { record, alert, severity } of list(rules)) {
        if ((record === undefined) === (alert === undefined))
          throw bad("Exactly one of 'record' and 'alert' has to be set in a rule.");
        if (record !== undefined && severity !== undefined) throw bad("A recording rule has no severity.");
      }
    },
  },
};
