/**
 * Loaded before every file of tests: Node keeps what it makes of the sources when it strips their types, which takes
 * it 0.3 s each time.
 */
import { enableCompileCache } from "node:module";
import { resolve } from "node:path";

enableCompileCache(resolve("node_modules/.cache/atoll/modules"));
