/** Builds the package: dist/ with declarations, and the prelude as one script. */
import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { build } from "esbuild";
import { PRELUDE_OPTIONS } from "../src/build/prelude.ts";

rmSync("dist", { recursive: true, force: true });
execFileSync("tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" });
await build({ ...PRELUDE_OPTIONS, entryPoints: ["src/prelude/index.ts"], outfile: "dist/prelude.js" });
copyFileSync("src/prelude/warm-up.js", "dist/warm-up.js");
