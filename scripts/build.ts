/** Builds the package: dist/ with declarations, and the prelude as one script. */
import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { bundlePrelude } from "../src/build/prelude-bundle.ts";

rmSync("dist", { recursive: true, force: true });
execFileSync("tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" });
writeFileSync("dist/prelude.js", await bundlePrelude());
copyFileSync("src/prelude/warm-up.js", "dist/warm-up.js");
