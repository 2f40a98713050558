// Starts the plugin. What Node compiles of it and its packages is kept beside these, since that takes longer than
// anything else that a preview asks of the plugin. Where nothing can be written there, all is compiled every time.

import { enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";
import { useProxy } from "../net/proxy.ts";

useProxy();
enableCompileCache(join(import.meta.dirname, "../node_modules/.cache/gitops"));
// Only what is imported from now on is kept.
await import("./plugin.ts");
// The engine ends its plugins before they could write it at their end.
flushCompileCache();
