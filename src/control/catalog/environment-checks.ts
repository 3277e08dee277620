import type { Bindings } from "../../bindings/edges.ts";
import { UsageError } from "../../errors.ts";
import { ControlError } from "../control-error.ts";
import type { VersionDocument } from "../store/documents.ts";

const MOST_VARIABLES = 128;
const MOST_VARIABLE_BYTES = 256 * 1024;
const MOST_BINDING_BYTES = 256 * 1024;
const MOST_FLAGS = 100;
const FLAG = /^[a-z0-9][\w.:-]{0,99}$/;
const NAME = /^[A-Za-z_$][\w$]{0,99}$/;

/** Throws ControlError `invalid` for what is no name of a variable. */
export function checkName(name: string): void {
	if (!NAME.test(name) || name === "__proto__")
		throw new ControlError("invalid", `${JSON.stringify(name)} is no name that a variable of JavaScript can have`);
}

/** Throws ControlError for variables, or secrets, that one function or version cannot have. */
export function checkVariables(all: Record<string, unknown>, what: string): void {
	for (const name of Object.keys(all)) checkName(name);
	if (Object.keys(all).length > MOST_VARIABLES)
		throw new ControlError("invalid", `there may be ${MOST_VARIABLES} ${what} at most`);
	if (Buffer.byteLength(JSON.stringify(all)) > MOST_VARIABLE_BYTES)
		throw new ControlError("too_large", `${what} may have ${MOST_VARIABLE_BYTES / 1024} KB at most in all`);
}

/**
 * Throws ControlError for what a version brings into `env` where an edge would refuse it: whatever is kept can be
 * served.
 */
export function checkEnvironment(
	bindings: Bindings,
	version: Pick<VersionDocument, "variables" | "bindings" | "metadataBinding" | "assetsBinding"> & {
		readonly compatibilityFlags: readonly string[];
	},
): void {
	const { variables, bindings: given, metadataBinding, assetsBinding, compatibilityFlags: flags } = version;
	if (flags.length > MOST_FLAGS || flags.some((flag) => !FLAG.test(flag)))
		throw new ControlError("invalid", `compatibility flags must be up to ${MOST_FLAGS} names like nodejs_compat`);
	if (Buffer.byteLength(JSON.stringify(given)) > MOST_BINDING_BYTES)
		throw new ControlError("too_large", `a version's bindings may have ${MOST_BINDING_BYTES / 1024} KB at most in all`);
	checkVariables(variables, "variables of a version");
	const others = [metadataBinding, assetsBinding].filter((name) => name !== "");
	for (const name of others) {
		checkName(name);
		if (Object.hasOwn(variables, name)) throw new ControlError("invalid", `there are two bindings called ${name}`);
	}
	const own = Object.entries(given).find(([, { type }]) => type === "assets");
	if (own !== undefined)
		throw new ControlError(
			"invalid",
			`bindings.${own[0]}: files are bound as they are uploaded, and not by their type`,
		);
	try {
		bindings.check(given, { ...variables, ...Object.fromEntries(others.map((name) => [name, null])) });
	} catch (error) {
		if (!(error instanceof UsageError)) throw error;
		throw new ControlError("invalid", error.message);
	}
}
