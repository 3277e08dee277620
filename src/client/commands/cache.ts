import { ClientError, Exit } from "../client-error.ts";
import { type ClientOptions, clientOf, pathOf, say } from "../command.ts";

interface PurgeOptions extends ClientOptions {
	cache?: string;
	url?: string[];
	tag?: string[];
	all?: boolean;
}

/** `atoll cache purge` */
export async function purge(name: string, options: PurgeOptions): Promise<void> {
	const { cache = null, url: urls = [], tag: tags = [], all = false } = options;
	if (all ? urls.length + tags.length > 0 : urls.length + tags.length === 0)
		throw new ClientError("what is to be removed? Give --url or --tag, or else --all", Exit.usage);
	const path = `${pathOf(options, name)}/cache/purge`;
	const done = await clientOf(options).ask<{ removed: number }>("POST", path, { cache, urls, tags, all });
	const { removed } = done;
	say(options, done, () => `${removed} ${removed === 1 ? "response was" : "responses were"} removed`);
}
