/** One of a response's events; its name is `message` where it has none. */
export interface ServerSentEvent {
	name: string;
	data: string;
}

/** The events of a response, as they come: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export async function* eventsOf(response: Response): AsyncGenerator<ServerSentEvent> {
	const decoder = new TextDecoder();
	let rest = "";
	let name = "message";
	for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
		const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
		rest = lines.pop() as string;
		for (const line of lines) {
			if (line === "") name = "message";
			else if (line.startsWith("event: ")) name = line.slice("event: ".length);
			else if (line.startsWith("data: ")) yield { name, data: line.slice("data: ".length) };
		}
	}
}

/** What the name `sampled` tells. */
export function sampledNote(data: string): string {
	const { leftOut } = JSON.parse(data) as { leftOut: number };
	return `${leftOut} ${leftOut === 1 ? "invocation was" : "invocations were"} left out: there are too many to show all`;
}
