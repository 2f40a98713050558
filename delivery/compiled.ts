import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { cacheFolder } from "../tools/cacheFolder.ts";

/**
 * Keeps what Node.js makes of the modules that are loaded from now on: for Pulumi's library that is half of its time. In the
 * user's own folder, where nobody else can put something for it.
 */
export const keepCompiled = (): void => void enableCompileCache(join(cacheFolder(), "compiled"));
