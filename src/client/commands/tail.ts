import { printable } from "../../observe/printable.ts";
import { type ClientOptions, clientOf, pathOf, progress } from "../command.ts";

interface Tailed {
	record: {
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
	header: string[];
	ip: string[];
}

/** `atoll tail`: until it is ended. */
export async function tail(name: string, options: TailOptions): Promise<void> {
	const query = new URLSearchParams();
	for (const key of ["header", "ip"] as const) for (const value of options[key]) query.append(key, value);
	const response = await clientOf(options).send("GET", `${pathOf(options, name)}/tail?${query}`);
	progress(options, `connected to ${name}; Ctrl-C ends it`);
	const decoder = new TextDecoder();
	let rest = "";
	for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
		const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
		rest = lines.pop() as string;
		for (const line of lines) {
			if (!line.startsWith("data: ")) continue;
			const data = line.slice("data: ".length);
			console.log(options.json ? data : printable(described(JSON.parse(data) as Tailed)));
		}
	}
}

function described({ record, lines }: Tailed): string {
	const what = record.event === "http" ? `${record.method} ${record.url} ${record.status}` : record.event;
	const first = `${what} ${record.outcome}, ${record.wallMs.toFixed(1)} ms (CPU ${record.cpuMs.toFixed(1)} ms)`;
	const logged = lines.map(({ level, message }) => `  ${level}: ${message.replaceAll("\n", "\n  ")}`);
	return [first, ...logged].join("\n");
}
