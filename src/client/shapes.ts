/** What the admin API tells, as far as commands show it. */
export interface Share {
	version: string;
	percent: number;
}

export interface Version {
	id: string;
	number: number;
	url: string;
	created: string;
	author: string;
	message: string;
	tag: string;
	size: number;
	startMs: number;
}

export interface Release {
	id: string;
	shares: Share[];
}

export interface FunctionInfo {
	name: string;
	hostnames: string[];
	paused: boolean;
	provisioned: number;
	maxInstances: number | null;
	keep: { versions: number; days: number | null };
	triggers: { crons: string[]; queues: { queue: string }[]; storage: { bucket?: string; kv?: string }[] };
	aliases: Record<string, Share[]>;
	changed: string;
}
