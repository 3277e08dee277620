import type { EventHead, EventPart } from "../link/event-head.ts";
import { encodeVerdict, MAX_DELAY } from "../link/verdicts.ts";
import { decodeUtf8 } from "./encoding/bytes.ts";
import { toDictionary } from "./interface.ts";

/** What a handler says of one part of its event: the first thing that it says counts. */
class Verdicts {
	readonly #part: number;
	/** Those of the part after it. A chain, since a list would be the function's to change. */
	readonly #next: Verdicts | null;
	#said = "";

	constructor(part: number, next: Verdicts | null) {
		this.#part = part;
		this.#next = next;
	}

	say(method: string, options: unknown): void {
		const { delaySeconds } = toDictionary(options, method);
		const seconds = delaySeconds === undefined ? null : Number(delaySeconds);
		if (seconds !== null && !(seconds >= 0 && seconds <= MAX_DELAY && seconds % 1 === 0))
			throw new TypeError(`${method}: delaySeconds must be a whole number from 0 to ${MAX_DELAY}`);
		if (this.#said === "") this.#said = encodeVerdict({ part: this.#part, method, delaySeconds: seconds });
	}

	/** All that was said of this part and of those after it, a line each. */
	get lines(): string {
		let text = "";
		for (let part: Verdicts | null = this; part !== null; part = part.#next)
			if (part.#said !== "") text = text === "" ? part.#said : `${text}\n${part.#said}`;
		return text;
	}
}

/** The argument of a handler of an event that is no request: what it holds, and what was said of that. */
export class EventArgument {
	readonly value: object;
	readonly #verdicts: Verdicts;

	constructor({ argument, list, parts }: EventHead, data: ArrayBuffer | undefined) {
		let verdicts: Verdicts | null = null;
		const made: unknown[] = parts; // What JSON made: each place is its own, so that no setter is asked.
		for (let i = parts.length - 1; i >= 0; i--) {
			verdicts = new Verdicts(i + 1, verdicts);
			made[i] = makePart(parts[i], data, verdicts);
		}
		this.#verdicts = new Verdicts(0, verdicts);
		const whole = makePart(argument, data, this.#verdicts);
		if (list !== "") whole[list] = made;
		this.value = whole;
	}

	/** What its handler has said of it so far (`link/verdicts.ts`). */
	get verdicts(): string {
		return this.#verdicts.lines;
	}
}

function makePart(
	{ fields, dates, bytes, json, methods }: EventPart,
	data: ArrayBuffer | undefined,
	verdicts: Verdicts,
): Record<string, unknown> {
	for (const name of Object.keys(dates)) fields[name] = new Date(dates[name]);
	for (const name of Object.keys(bytes)) {
		const [from, to] = bytes[name];
		// A copy: the parts of an event have buffers of their own.
		const copy = new Uint8Array(to - from);
		copy.set(new Uint8Array(data as ArrayBuffer, from, to - from));
		fields[name] = copy.buffer;
	}
	for (const name of Object.keys(json)) {
		const [from, to] = json[name];
		fields[name] = JSON.parse(decodeUtf8(new Uint8Array(data as ArrayBuffer, from, to - from)));
	}
	for (let i = 0; i < methods.length; i++) {
		const method = methods[i];
		fields[method] = (options: unknown) => verdicts.say(method, options);
	}
	return fields;
}
