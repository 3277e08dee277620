import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { ClientError, Exit } from "../client-error.ts";
import { type ClientOptions, clientOf, pathOf, progress, say, table } from "../command.ts";
import { askDevelopment } from "../development.ts";
import { type ProfileSummary, readProfile, summaryOf } from "../profile-summary.ts";

interface ProfileOptions extends ClientOptions {
	seconds: number;
	requests?: number;
	version?: string;
	output?: string;
	/** The port of an `atoll dev`. */
	dev?: number;
}

const TICK_MS = 1000;

/** `atoll profile` */
export async function profile(name: string, options: ProfileOptions): Promise<void> {
	const { seconds } = options;
	const time = new Date().toISOString().slice(0, 19).replaceAll(":", "");
	const file = options.output ?? `${name}-${time}.cpuprofile`;
	if (existsSync(file)) throw new ClientError(`${file} is there already; choose another name`, Exit.usage);
	progress(options, `${name} is profiled for ${seconds} s in a sandbox of its own: its requests go there meanwhile`);
	const ticking = tick(options);
	let text: string;
	try {
		text = await (options.dev === undefined ? fromServer(name, options) : fromDevelopment(name, options, options.dev));
	} finally {
		ticking();
	}
	const summary = summaryOf(readProfile(text));
	try {
		await writeFile(file, text, { flag: "wx" });
	} catch (error) {
		throw new ClientError(`${file} cannot be written: ${(error as Error).message}`, Exit.usage);
	}
	say(options, { file, ...summary }, () => described(file, summary));
}

async function fromServer(name: string, options: ProfileOptions): Promise<string> {
	const { seconds, requests, version } = options;
	const body = { seconds, ...(requests !== undefined && { requests }), ...(version !== undefined && { version }) };
	const init = { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
	return (await clientOf(options).send("POST", `${pathOf(options, name)}/profiles`, init)).text();
}

async function fromDevelopment(name: string, { seconds, requests }: ProfileOptions, port: number): Promise<string> {
	const query = `seconds=${seconds}${requests === undefined ? "" : `&requests=${requests}`}`;
	const { status, told } = await askDevelopment(port, name, { method: "GET", path: `/cdn-cgi/profile?${query}` });
	if (status !== 200) throw new ClientError(`there is no profile: ${told.trimEnd().slice(0, 1000)}`, Exit.refused);
	return told;
}

/** Shows on a terminal that it goes on, until it is called. */
function tick({ json }: ClientOptions): () => void {
	if (json || !process.stderr.isTTY) return () => undefined;
	const timer = setInterval(() => process.stderr.write("."), TICK_MS);
	return () => {
		clearInterval(timer);
		process.stderr.write("\n");
	};
}

function described(file: string, { ms, busyMs, samples, top }: ProfileSummary): string {
	const took = `${(ms / 1000).toFixed(1)} s, of which it ran for ${(busyMs / 1000).toFixed(2)} s (${samples} samples)`;
	const rows = top.map((one) => [`${(one.share * 100).toFixed(1)} %`, `${one.ms.toFixed(1)} ms`, one.function, one.at]);
	const where =
		rows.length === 0
			? "Nothing of it ran: send it requests meanwhile."
			: table([["SELF", "TIME", "FUNCTION", "AT"], ...rows]);
	return [
		took,
		where,
		`${file}: open it in Chrome's DevTools (Performance, Load profile), in VS Code, or at https://www.speedscope.app`,
	].join("\n");
}
