import { printable } from "../../observe/printable.ts";
import { type ClientOptions, clientOf, pathOf, progress } from "../command.ts";
import { shortTime } from "../log-entries.ts";
import { eventsOf, sampledNote } from "../server-sent-events.ts";

interface Tailed {
	record: {
		/** ISO 8601, in UTC. */
		time: string;
		method: string;
		url: string;
		status: number;
		outcome: string;
		event: string;
		wallMs: number;
		cpuMs: number;
	};
	lines: { level: string; message: string }[];
}

interface TailOptions extends ClientOptions {
	header?: string[];
	ip?: string[];
	outcome?: string[];
	method?: string[];
	version?: string;
	search?: string[];
	sample?: number;
}

const FILTERS = ["header", "ip", "outcome", "method", "version", "search", "sample"] as const;

/** `atoll tail`: until it is ended. */
export async function tail(name: string, options: TailOptions): Promise<void> {
	const query = new URLSearchParams();
	for (const key of FILTERS) for (const value of [options[key] ?? []].flat()) query.append(key, String(value));
	const response = await clientOf(options).send("GET", `${pathOf(options, name)}/tail?${query}`);
	progress(options, `connected to ${name}; Ctrl-C ends it`);
	for await (const { name: event, data } of eventsOf(response)) {
		if (event === "sampled") progress(options, sampledNote(data));
		else console.log(options.json ? data : printable(described(JSON.parse(data) as Tailed)));
	}
}

function described({ record, lines }: Tailed): string {
	const what = record.event === "http" ? `${record.method} ${record.url} ${record.status}` : record.event;
	const first = `${shortTime(record.time)}  ${what} ${record.outcome}, ${record.wallMs.toFixed(1)} ms (CPU ${record.cpuMs.toFixed(1)} ms)`;
	const logged = lines.map(({ level, message }) => `  ${level}: ${message.replaceAll("\n", "\n  ")}`);
	return [first, ...logged].join("\n");
}
