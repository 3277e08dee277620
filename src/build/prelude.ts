import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { addedFolders } from "../bindings/folders.ts";
import { IS_CHECKOUT, Kept } from "../checkout.ts";

const built = fileURLToPath(new URL("../prelude.js", import.meta.url));

/** A request as the prelude will handle it, run while the base snapshot is made so that its bytecode is in there. */
const WARM_UP = fileURLToPath(new URL(IS_CHECKOUT ? "../prelude/warm-up.js" : "../warm-up.js", import.meta.url));

export interface Prelude {
	code: string;
	warmUp: string;
	/** Identifies both. */
	hash: string;
}

let loading: Promise<Prelude> | null = null;

/** The prelude as one script: built beforehand in a package, bundled in a checkout, once until its source changes. */
export function loadPrelude(): Promise<Prelude> {
	loading ??= load();
	return loading;
}

async function load(): Promise<Prelude> {
	const code = IS_CHECKOUT ? await bundled() : readFileSync(built, "utf8");
	const warmUp = readFileSync(WARM_UP, "utf8");
	return {
		code,
		warmUp,
		hash: createHash("sha256").update(code).update("\0").update(warmUp).digest("hex").slice(0, 16),
	};
}

/** Names the bindings that were added to those of the source, by their content. */
function added(): string {
	if (addedFolders().size === 0) return "";
	const sum = createHash("sha256");
	for (const [name, folder] of addedFolders())
		for (const file of readdirSync(folder).sort())
			sum.update(JSON.stringify([name, file, readFileSync(new URL(file, folder), "utf8")]));
	return `-${sum.digest("hex").slice(0, 16)}`;
}

async function bundled(): Promise<string> {
	const kept = new Kept(`prelude${added()}`, ".js");
	if (kept.exists) return readFileSync(kept.path, "utf8");
	const { bundlePrelude } = await import("./prelude-bundle.ts");
	const code = await bundlePrelude();
	kept.write(code);
	return code;
}
