// A registry with one image over a simulated Entra, and whoever pulls it with a service principal's password, as nodes do.
import type { Entra } from "../../rehearsal/cloud/entra/service.ts";
import { MEDIA } from "../../rehearsal/cloud/registry/protocol.ts";
import { ContainerRegistries } from "../../rehearsal/cloud/registry/service.ts";
import { UpstreamRegistries } from "../../rehearsal/cloud/registry/upstream.ts";
import { FakeArm } from "../rehearsal/cloud/fakeArm.ts";
import { ask } from "../rehearsal/cloud/request.ts";

const HOST = "acmedev.azurecr.io";
const ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/acmedev";
const PULL = "Microsoft.ContainerRegistry/registries/repositories/content/read";

/** What a Secret holds for one who pulls. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export class Puller {
  readonly #arm = new FakeArm();
  readonly #registries: ContainerRegistries;

  constructor(entra: Entra) {
    this.#registries = new ContainerRegistries({
      arm: this.#arm,
      directory: entra,
      upstream: new UpstreamRegistries(),
      passwordValid: (clientId, secret) => entra.byPassword(clientId, secret),
      now: () => entra.now().getTime(),
    });
    const registry = this.#arm.add({
      id: ID,
      name: "acmedev",
      type: "Microsoft.ContainerRegistry/registries",
      location: "westeurope",
      properties: { loginServer: HOST, roleAssignmentMode: "AbacRepositoryPermissions" },
    });
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociManifest, layers: [] }));
    this.#registries.store(registry).putManifest("app", body, MEDIA.ociManifest, "1.0.0");
  }

  /** Lets a principal pull. */
  allow(objectId: string): void {
    this.#arm.allowed.push(`${objectId} ${PULL} ${ID}`);
  }

  /** Pulls the image's manifest as a kubelet does: a token for the password, and the manifest for the token. */
  async pulls({ username, password }: Credentials): Promise<boolean> {
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    const scope = `https://${HOST}/oauth2/token?service=${HOST}&scope=repository:app:pull`;
    const token = await ask(this.#registries.service, "GET", scope, { headers: { authorization } });
    const headers = { authorization: `Bearer ${token.body?.access_token}`, accept: MEDIA.ociManifest };
    const answer = await ask(this.#registries.service, "GET", `https://${HOST}/v2/app/manifests/1.0.0`, { headers });
    return answer.status === 200;
  }
}
