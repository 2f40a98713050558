// Entra: a tenant's directory, and login.microsoftonline.com before it.
import type { Service } from "../types.ts";
import { type DirectoryOptions, TenantDirectory } from "./directory.ts";
import { signIn } from "./signIn.ts";
import { TokenIssuer } from "./tokens.ts";

export interface EntraOptions extends DirectoryOptions {
  /** The time; default: now. */
  readonly now?: () => Date;
}

export class Entra extends TenantDirectory {
  /** Answers for login.microsoftonline.com. */
  readonly service: Service = (request) => signIn(this, request);

  static async create(options: EntraOptions): Promise<Entra> {
    const now = options.now ?? (() => new Date());
    return new Entra(options, await TokenIssuer.create(options.tenantId, now), now);
  }
}
