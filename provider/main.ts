// Starts the plugin.

import { flushCompileCache } from "node:module";
import { useProxy } from "../net/proxy.ts";

useProxy();
await import("./plugin.ts");
// The engine ends its plugins before Node could write at their end what it compiled.
flushCompileCache();
