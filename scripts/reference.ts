/**
 * `npm run reference`: makes docs/api.md of the docstrings of what `src/index.ts` exports, docs/api-admin.md of the
 * description of the admin API, and schema/ of what configurations are checked with; with `-- --check` it only says
 * whether that is how they are.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generated } from "./reference/generated.ts";

const PAGE = "docs/api.md";
const folder = mkdtempSync(join(tmpdir(), "atoll-reference-"));
try {
	execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--prefix", "scripts/reference"], { stdio: "inherit" });
	execFileSync("npm", ["run", "--silent", "--prefix", "scripts/reference", "typedoc", "--", "--out", folder], {
		stdio: "inherit",
	});
	const pages = { [PAGE]: readFileSync(join(folder, "api.md"), "utf8"), ...generated() };
	for (const [path, text] of Object.entries(pages)) {
		if (!process.argv.includes("--check")) writeFileSync(path, text);
		else if (readFileSync(path, "utf8") !== text) {
			console.error(`${path} is not what the source says: npm run reference`);
			process.exitCode = 1;
		}
	}
} finally {
	rmSync(folder, { recursive: true });
}
