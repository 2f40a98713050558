// zod without its messages in sixty languages: those are 64 files and more than half of its time to load, which every
// preview would pay; the form has words of its own.
import { createRequire, Module } from "node:module";

const require = createRequire(import.meta.url);
const locales = require.resolve("zod/v4/locales");
const loaded = require.cache[locales];
if (!loaded) require.cache[locales] = Object.assign(new Module(locales), { loaded: true, exports: {} });

/** zod's functions. */
export const z = require("zod/mini") as typeof import("zod/mini");

// Whoever else asks for them gets them.
if (!loaded) delete require.cache[locales];
