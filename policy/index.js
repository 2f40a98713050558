// The pack's entry, which is JavaScript: Pulumi compiles the TypeScript of a pack that it loads itself, and checks its
// types in every run. From here on Node strips them.
import "./pack.ts";
