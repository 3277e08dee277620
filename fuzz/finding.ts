import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A case that somebody noticed. */
export interface Finding {
	/** What it is, in words that go on from "nobody notices"; empty until somebody has understood it. */
	title: string;
	target: string;
	/** The round in which it came up begins with this seed. */
	seed: number;
	/** What was complained of. */
	found: string;
	/** Why it is not mended yet; absent where it is, and has to stay so. */
	open?: string;
	case: unknown;
}

const FOUND = "fuzz/found";
export const FINDINGS = "fuzz/findings";

/** Writes a finding down, to be looked at, and moved to the others once it is understood. Gives the file's path. */
export function keep(finding: Finding): string {
	mkdirSync(FOUND, { recursive: true });
	const text = `${JSON.stringify(finding, null, "\t")}\n`;
	const hash = createHash("sha256").update(text).digest("hex").slice(0, 8);
	const file = join(FOUND, `${finding.target}-${hash}.json`);
	writeFileSync(file, text);
	return file;
}

export function readFinding(file: string): Finding {
	return JSON.parse(readFileSync(file, "utf8")) as Finding;
}
