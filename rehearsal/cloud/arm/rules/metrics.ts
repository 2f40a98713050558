// What keeps metrics and tells people.
import { createHash, randomUUID } from "node:crypto";
import type { ArmResource } from "../../types.ts";
import { type Behaviour, propertiesOf } from "../behaviour.ts";
import { armError } from "../errors.ts";
import { key, same } from "../ids.ts";
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

export const metricsRules: Readonly<Record<string, Behaviour>> = {
  [ACCOUNT_TYPE]: {
    answers: { created: 200 },
    accepted(resource, { world, id }) {
      const properties = resource.properties;
      const managed = `/subscriptions/${world.subscriptionId}/resourceGroups/MA_${id.name}_${resource.location}_managed/providers/Microsoft.Insights`;
      settled(resource);
      properties.accountId ??= randomUUID();
      properties.metrics = {
        prometheusQueryEndpoint: `https://${id.name}-${digits(id.id, 16)}.${resource.location}.prometheus.monitor.azure.com`,
        internalId: `mac_${properties.accountId}`,
      };
      properties.defaultIngestionSettings = {
        dataCollectionRuleResourceId: `${managed}/dataCollectionRules/${id.name}`,
        dataCollectionEndpointResourceId: `${managed}/dataCollectionEndpoints/${id.name}`,
      };
    },
    mayDelete({ world, resource }) {
      const user = world.store
        .list(RULE_TYPE)
        .find((rule) =>
          list(part(rule, "properties.destinations").monitoringAccounts).some(({ accountResourceId }) =>
            same(String(accountResourceId), resource.id),
          ),
        );
      if (user) throw armError(409, "Conflict", `The account '${resource.name}' is a destination of '${user.id}'.`);
    },
  },
  [ENDPOINT_TYPE]: {
    answers: { created: 200 },
    accepted(resource, { id }) {
      const host = `${id.name.toLowerCase()}-${digits(id.id, 4)}.${resource.location}-1`;
      settled(resource);
      Object.assign(resource.properties, {
        immutableId: `dce-${digits(id.id, 32)}`,
        configurationAccess: { endpoint: `https://${host}.handler.control.monitor.azure.com` },
        logsIngestion: { endpoint: `https://${host}.ingest.monitor.azure.com` },
        metricsIngestion: { endpoint: `https://${host}.metrics.ingest.monitor.azure.com` },
      });
    },
  },
  [RULE_TYPE]: {
    answers: { created: 200 },
    check({ world, body }) {
      const { dataFlows, dataCollectionEndpointId } = propertiesOf(body);
      const names = Object.values(part(body, "properties.destinations"))
        .flatMap(list)
        .map(({ name }) => name);
      const streams = Object.values(part(body, "properties.dataSources"))
        .flatMap(list)
        .flatMap((one) => one.streams);
      for (const flow of list(dataFlows)) {
        const unknown = (flow.destinations as string[]).find((name) => !names.includes(name));
        if (unknown !== undefined)
          throw armError(
            400,
            "InvalidPayload",
            `Data flow refers to the destination '${unknown}', which there is not.`,
          );
        const stream = (flow.streams as string[]).find((name) => !streams.includes(name));
        if (stream !== undefined)
          throw armError(400, "InvalidPayload", `Data flow has the stream '${stream}', which no data source gives.`);
      }
      const endpoint = world.store.get(String(dataCollectionEndpointId));
      if (endpoint !== undefined && region(endpoint.location) !== region(body.location))
        throw armError(400, "InvalidPayload", "Data collection rule and endpoint have to be in the same region.");
    },
    accepted(resource, { world, id }) {
      settled(resource);
      resource.properties.immutableId ??= `dcr-${digits(id.id, 32)}`;
      for (const account of list(part(resource, "properties.destinations").monitoringAccounts))
        account.accountId = world.store.get(String(account.accountResourceId))?.properties.accountId;
    },
    mayDelete({ world, resource }) {
      const user = world.store
        .list(ASSOCIATION_TYPE)
        .find(({ properties }) => same(String(properties.dataCollectionRuleId), resource.id));
      if (user)
        throw armError(
          400,
          "AssociatedResources",
          `Data collection rule '${resource.name}' has associations, such as '${user.id}': delete these first.`,
        );
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
