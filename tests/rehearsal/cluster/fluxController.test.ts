import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import type { KubeObject } from "../../../rehearsal/cluster/api.ts";
import { controllerArgs, controllerEnvironment, controllerPlan } from "../../../rehearsal/cluster/fluxController.ts";

const account = (annotations: Record<string, string> = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name: "source-controller", annotations },
});
const deployment = (change: { readyReplicas?: number; labels?: object; env?: object[] } = {}): KubeObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "source-controller", namespace: "flux-system" },
  spec: {
    template: {
      metadata: { labels: change.labels ?? {} },
      spec: {
        serviceAccountName: "source-controller",
        containers: [
          { name: "sidecar" },
          {
            name: "manager",
            args: ["--events-addr=http://notification-controller.$(RUNTIME_NAMESPACE).svc/", "--x=$(UNKNOWN)"],
            env: [
              { name: "RUNTIME_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
              { name: "GOMEMLIMIT", valueFrom: { resourceFieldRef: { resource: "limits.memory" } } },
              ...(change.env ?? []),
            ],
          },
        ],
      },
    },
  },
  status: { readyReplicas: change.readyReplicas ?? 1 },
});
const at = {
  folder: "/f",
  kubeconfig: "/f/kubeconfig",
  namespace: "flux-system",
  proxyPort: 7,
  authority: "/a.pem",
  tenantId: "tenant",
  federatedTokenFile: "/f/token",
};
const injected = { "azure.workload.identity/use": "true" };

describe("a Flux controller as a process", () => {
  it("gets the arguments of its Deployment's manager, variables filled in as Kubernetes does", () => {
    assert.deepEqual(controllerPlan(deployment(), [account()]), {
      serviceAccount: "source-controller",
      args: ["--events-addr=http://notification-controller.flux-system.svc/", "--x=$(UNKNOWN)"],
      env: { RUNTIME_NAMESPACE: "flux-system" },
    });
  });

  it("does not run without a ready pod, nor without its service account", () => {
    assert.equal(controllerPlan(deployment({ readyReplicas: 0 }), [account()]), undefined);
    assert.equal(controllerPlan(deployment(), []), undefined);
  });

  it("is given an identity as the workload identity webhook does: by the pod's label and the account's annotations", () => {
    const annotated = account({ "azure.workload.identity/client-id": "client" });
    assert.equal(controllerPlan(deployment(), [annotated])?.identity, undefined);
    assert.deepEqual(controllerPlan(deployment({ labels: injected }), [account()])?.identity, {});
    const plan = controllerPlan(deployment({ labels: injected }), [annotated]);
    assert.ok(plan);
    const { AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_FEDERATED_TOKEN_FILE, AZURE_AUTHORITY_HOST } =
      controllerEnvironment(plan, at);
    assert.deepEqual(
      [AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_FEDERATED_TOKEN_FILE, AZURE_AUTHORITY_HOST],
      ["client", "tenant", "/f/token", "https://login.microsoftonline.com/"],
    );
  });

  it("keeps variables that its Deployment sets itself", () => {
    const env = [{ name: "AZURE_CLIENT_ID", value: "own" }];
    const annotated = account({ "azure.workload.identity/client-id": "client" });
    const plan = controllerPlan(deployment({ labels: injected, env }), [annotated]);
    assert.ok(plan);
    assert.equal(controllerEnvironment(plan, at).AZURE_CLIENT_ID, "own");
  });

  it("listens on loopback alone, and is its own leader", () => {
    const ports = { metrics: 1, health: 2, main: 3, receivers: 4 };
    const places = { storage: "/s", events: "http://127.0.0.1:9/" };
    const args = ["--events-addr=http://x/", "--log-level=info", "--enable-leader-election", "--storage-path=/data"];
    assert.deepEqual(controllerArgs("source-controller", args, ports, places), [
      "--log-level=info",
      "--metrics-addr=127.0.0.1:1",
      "--health-addr=127.0.0.1:2",
      "--storage-path=/s",
      "--storage-addr=127.0.0.1:3",
      "--storage-adv-addr=127.0.0.1:3",
      "--events-addr=http://127.0.0.1:9/",
    ]);
    assert.deepEqual(controllerArgs("notification-controller", [], ports, places).slice(2), [
      "--events-addr=127.0.0.1:3",
      "--receiverAddr=127.0.0.1:4",
    ]);
    // Without notification-controller nobody is told.
    assert.deepEqual(controllerArgs("helm-controller", ["--events-addr="], ports, places), [
      "--events-addr=",
      "--metrics-addr=127.0.0.1:1",
      "--health-addr=127.0.0.1:2",
    ]);
  });
});
