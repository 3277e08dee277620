import { readFileSync } from "node:fs";
import { ClientError, Exit } from "../client-error.ts";
import { type ClientOptions, clientOf, fromInput, listing, say, table } from "../command.ts";

interface SourceOptions extends ClientOptions {
	scheme?: string;
	function?: string;
	queue?: string;
	types?: string;
	retries?: number;
	deadLetterQueue?: string;
	rules?: string;
	secretFile?: string[];
	keepSecrets?: boolean;
}

/** A source as the API tells of it. */
interface SourceInfo {
	name: string;
	scheme: string;
	rules: { types: string[]; function?: string; queue?: string }[];
	url: string;
}

/** `atoll source` */
export async function source(action: string, name: string | undefined, options: SourceOptions): Promise<void> {
	const client = clientOf(options);
	const path = `/tenants/${encodeURIComponent(options.tenant)}/sources`;
	if (action === "list") {
		const all = await client.get<SourceInfo[]>(path);
		const rows = all.map((one) => [one.name, one.scheme, one.rules.map(ruleText).join("; "), one.url]);
		say(options, all, () => listing(["SOURCE", "SCHEME", "EVENTS", "URL"], rows, "there are no sources"));
		return;
	}
	if (name === undefined) throw new ClientError(`which source? atoll source ${action} NAME`, Exit.usage);
	const own = `${path}/${encodeURIComponent(name)}`;
	if (action === "remove") {
		await client.ask("DELETE", own);
		say(options, {}, () => `no events of ${name} are taken any more`);
		return;
	}
	const { scheme } = options;
	if (scheme === undefined)
		throw new ClientError(
			"how are its events signed? --scheme github, stripe, standard-webhooks or cloudevents",
			Exit.usage,
		);
	const rules = rulesOf(options);
	const secrets = options.keepSecrets ? {} : { secrets: await secretsOf(name, options) };
	const made = await client.ask<SourceInfo>("PUT", own, { scheme, rules, ...secrets });
	say(options, made, () =>
		table([
			["source", made.name],
			["scheme", made.scheme],
			["events", made.rules.map(ruleText).join("; ")],
			["url", made.url],
		]),
	);
}

const ruleText = ({ types, function: name, queue }: SourceInfo["rules"][number]) =>
	`${types.join(", ")} to ${name === undefined ? `the queue ${queue}` : name}`;

/** What the flags say, or a file that has all rules. */
function rulesOf({ rules, function: name, queue, types, retries, deadLetterQueue }: SourceOptions): unknown {
	if (rules !== undefined) {
		try {
			return JSON.parse(readFileSync(rules, "utf8"));
		} catch (error) {
			throw new ClientError(`${rules} cannot be read as JSON: ${(error as Error).message}`, Exit.usage);
		}
	}
	if ((name === undefined) === (queue === undefined))
		throw new ClientError("whom are its events for? --function NAME or --queue NAME, or --rules FILE", Exit.usage);
	return [
		{
			...(name !== undefined && { function: name }),
			...(queue !== undefined && { queue }),
			...(types !== undefined && { types: types.split(",").map((one) => one.trim()) }),
			...(retries !== undefined && { retries }),
			...(deadLetterQueue !== undefined && { deadLetterQueue }),
		},
	];
}

/** Not by a flag, which others of the machine could read. */
async function secretsOf(name: string, { secretFile = [] }: SourceOptions): Promise<string[]> {
	if (secretFile.length === 0) return [await fromInput(`the secret of ${name}`)];
	return secretFile.map((file) => {
		try {
			return readFileSync(file, "utf8").trim();
		} catch (error) {
			throw new ClientError(`${file} cannot be read: ${(error as Error).message}`, Exit.usage);
		}
	});
}
