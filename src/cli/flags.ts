import type { RuntimeOptions } from "../config/options.ts";
import type { Reach } from "../config/project.ts";
import type { Limits } from "../limits/limits.ts";

/** A command line, checked. */
export interface Flags {
	/** Functions of the operator's own, and folders of them. */
	paths: string[];
	/** The folder that those may be bundled from, where it is another than their own. */
	root: string | undefined;
	/** Folders of tenants' folders of functions. */
	tenants: string[];
	reach: Reach;
	port: number;
	host: string;
	isolation: RuntimeOptions["isolation"];
	sandboxes: number | undefined;
	data: string | undefined;
	maxLimits: Limits;
	allowEgress: string[];
}

export function runtimeOptions({ isolation, sandboxes, data, maxLimits, allowEgress }: Flags): RuntimeOptions {
	const options: RuntimeOptions = { maxLimits, egress: { allow: allowEgress } };
	if (isolation !== undefined) options.isolation = isolation;
	if (sandboxes !== undefined) options.sandboxes = sandboxes;
	if (data !== undefined) options.data = data;
	return options;
}
