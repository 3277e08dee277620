/**
 * `npm run reference`: makes docs/api.md of the docstrings of what `src/index.ts` exports; with `-- --check` it only
 * says whether that is how docs/api.md is.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PAGE = "docs/api.md";
const folder = mkdtempSync(join(tmpdir(), "atoll-reference-"));
try {
	execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--prefix", "scripts/reference"], { stdio: "inherit" });
	execFileSync("npm", ["run", "--silent", "--prefix", "scripts/reference", "typedoc", "--", "--out", folder], {
		stdio: "inherit",
	});
	const page = readFileSync(join(folder, "api.md"), "utf8");
	if (!process.argv.includes("--check")) writeFileSync(PAGE, page);
	else if (readFileSync(PAGE, "utf8") !== page) {
		console.error(`${PAGE} is not what the docstrings say: npm run reference`);
		process.exitCode = 1;
	}
} finally {
	rmSync(folder, { recursive: true });
}
