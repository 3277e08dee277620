import type { RuntimeOptions } from "../config/options.ts";

/** A command line, checked. */
export interface Flags {
	paths: string[];
	port: number;
	host: string;
	domain: string;
	isolation: RuntimeOptions["isolation"];
	sandboxes: number | undefined;
	data: string | undefined;
	allowEgress: string[];
}

export function runtimeOptions({ isolation, sandboxes, data, allowEgress }: Flags): RuntimeOptions {
	const options: RuntimeOptions = { egress: { allow: allowEgress } };
	if (isolation !== undefined) options.isolation = isolation;
	if (sandboxes !== undefined) options.sandboxes = sandboxes;
	if (data !== undefined) options.data = data;
	return options;
}
