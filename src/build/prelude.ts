import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const built = fileURLToPath(new URL("../prelude.js", import.meta.url));
const source = fileURLToPath(new URL("../prelude/index.ts", import.meta.url));

/** A request as the prelude will handle it, run while the base snapshot is made so that its bytecode is in there. */
const WARM_UP = fileURLToPath(new URL(existsSync(source) ? "../prelude/warm-up.js" : "../warm-up.js", import.meta.url));

export interface Prelude {
	code: string;
	warmUp: string;
	/** Identifies both. */
	hash: string;
}

let loading: Promise<Prelude> | null = null;

/** The prelude as one script: built beforehand in a package, bundled on the spot in a checkout, once for a process. */
export function loadPrelude(): Promise<Prelude> {
	loading ??= load();
	return loading;
}

async function load(): Promise<Prelude> {
	const code = existsSync(source)
		? await (await import("./prelude-bundle.ts")).bundlePrelude()
		: readFileSync(built, "utf8");
	const warmUp = readFileSync(WARM_UP, "utf8");
	return {
		code,
		warmUp,
		hash: createHash("sha256").update(code).update("\0").update(warmUp).digest("hex").slice(0, 16),
	};
}
