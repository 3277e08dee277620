import { existsSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import type { Reach, Source } from "../config/project.ts";
import type { RuntimeOptions } from "../config/runtime.ts";
import type { Limits } from "../limits/limits.ts";

/** A command line, checked. */
export interface Flags {
	/** Functions of the operator's own, and folders of them. */
	paths: string[];
	/** The folder that those may be bundled from, where it is another than their own. */
	root: string | undefined;
	/** Which environment of wrangler's configurations counts. */
	environment: string | undefined;
	/** Folders of tenants' folders of functions. */
	tenants: string[];
	reach: Reach;
	/** Where events of sources are taken. */
	eventsHostname: string;
	port: number;
	host: string;
	isolation: RuntimeOptions["isolation"];
	sandboxes: number | undefined;
	data: string | undefined;
	maxLimits: Limits;
	allowEgress: string[];
	cgroup: string | undefined;
}

/** A parser of a whole number within bounds, for a flag. */
export const integer = (least: number, most: number) => (text: string) => {
	const value = Number(text);
	if (!/^\d+$/.test(text) || value < least || value > most)
		throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`);
	return value;
};

/** The same, or `none`. */
export const integerOrNone = (least: number, most: number) => (text: string) =>
	text === "none" ? text : integer(least, most)(text);

/** A parser of a flag that may be repeated. */
export const list = (text: string, before: string[] | undefined) => [...(before ?? []), text];

/** The folders that functions are built from: those of tenants as well that are links to elsewhere. */
export function foldersOf({ tenants }: Flags, found: readonly Source[]): string[] {
	// A tenant's folder may be a link that leads nowhere.
	return [...tenants, ...found.map(({ root }) => root)].filter((folder) => existsSync(folder));
}

export function runtimeOptions(flags: Flags, found: readonly Source[]): RuntimeOptions {
	const { isolation, sandboxes, data, maxLimits, allowEgress, cgroup } = flags;
	const sources = foldersOf(flags, found);
	const options: RuntimeOptions = { maxLimits, sources, egress: { allow: allowEgress } };
	if (cgroup !== undefined) options.cgroup = cgroup;
	if (isolation !== undefined) options.isolation = isolation;
	if (sandboxes !== undefined) options.sandboxes = sandboxes;
	if (data !== undefined) options.data = data;
	return options;
}
