interface EventStreamListener {
	event(type: string, data: string, lastEventId: string): void;
	/** The server says how long to wait before the next attempt. */
	retry(milliseconds: number): void;
}

/** https://html.spec.whatwg.org/#event-stream-interpretation, of text in whatever pieces it comes. */
export class EventStreamParser {
	readonly #listener: EventStreamListener;
	#line = "";
	/** The last letter was a carriage return: a line feed behind it belongs to that. */
	#returned = false;
	#type = "";
	#data = "";
	#id: string;

	constructor(lastEventId: string, listener: EventStreamListener) {
		this.#id = lastEventId;
		this.#listener = listener;
	}

	push(text: string): void {
		let from = this.#returned && text.charCodeAt(0) === LF ? 1 : 0;
		this.#returned = text.charCodeAt(text.length - 1) === CR;
		for (let i = from; i < text.length; i++) {
			const code = text.charCodeAt(i);
			if (code !== LF && code !== CR) continue;
			this.#take(this.#line + text.slice(from, i));
			this.#line = "";
			if (code === CR && text.charCodeAt(i + 1) === LF) i++;
			from = i + 1;
		}
		this.#line += text.slice(from);
	}

	#take(line: string): void {
		if (line === "") {
			this.#dispatch();
			return;
		}
		const colon = line.indexOf(":");
		const field = colon < 0 ? line : line.slice(0, colon);
		const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
		if (field === "event") this.#type = value;
		else if (field === "data") this.#data += `${value}\n`;
		else if (field === "id" && !value.includes("\0")) this.#id = value;
		else if (field === "retry" && /^\d+$/.test(value)) this.#listener.retry(Number(value));
	}

	#dispatch(): void {
		const [type, data] = [this.#type, this.#data];
		this.#type = this.#data = "";
		if (data !== "") this.#listener.event(type === "" ? "message" : type, data.slice(0, -1), this.#id);
	}
}
const LF = 0x0a;
const CR = 0x0d;
