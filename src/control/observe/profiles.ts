import type { ToControl, ToEdge } from "../../feed/messages.ts";
import { type FunctionId, keyOf, type TenantName } from "../../names.ts";
import type { Bytes, Milliseconds, Seconds } from "../../units.ts";
import { ControlError } from "../control-error.ts";

/** So many are taken at a time, one of them of each tenant. */
const MOST = 2;
/** No edge sends a larger one. */
const MOST_BYTES: Bytes = 16 * 2 ** 20;
/** What a profile takes beyond its time: its sandbox's start, handing it over, mapping it into the source. */
const BEYOND_MS: Milliseconds = 90_000;

/** What is asked for. */
export interface ProfileRequest {
	function: FunctionId;
	/** A version's id; `null` for the one with the most traffic. */
	version: string | null;
	seconds: Seconds;
	/** It ends sooner after so many. */
	requests: number;
}

/** One that is being taken. */
interface Taking {
	tenant: TenantName;
	/** The edge that takes it. */
	edge: object;
	parts: Buffer[];
	bytes: Bytes;
	resolve: (bytes: Buffer) => void;
	reject: (error: ControlError) => void;
}

/** An edge that can be asked. */
export interface AskedEdge {
	readonly edge: object;
	send(said: ToEdge): void;
}

/** Has edges take CPU profiles of functions, and hands on what they send: nobody here looks into it. */
export class Profiles {
	readonly #edge: () => AskedEdge | null;
	readonly #taking = new Map<number, Taking>();
	#next = 1;

	/** `edge` gives one that follows, if any does. */
	constructor(edge: () => AskedEdge | null) {
		this.#edge = edge;
	}

	/**
	 * Takes one: the bytes of a `.cpuprofile`. Rejects with ControlError `too_many_profiles` where others are being taken,
	 * and `profile_failed` where it comes to nothing.
	 */
	async take({ function: id, ...rest }: ProfileRequest, signal: AbortSignal): Promise<Buffer> {
		const all = [...this.#taking.values()];
		if (all.length >= MOST || all.some(({ tenant }) => tenant === id.tenant))
			throw new ControlError("too_many_profiles", `one of a tenant's functions, and ${MOST} in all, at a time`, 10);
		const asked = this.#edge();
		if (asked === null) throw new ControlError("profile_failed", "no edge is at work that could take it");
		const number = this.#next++;
		const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
		this.#taking.set(number, { tenant: id.tenant, edge: asked.edge, parts: [], bytes: 0, resolve, reject });
		const refuse = (why: string) => reject(new ControlError("profile_failed", `${keyOf(id)}: ${why}`));
		const late = setTimeout(() => refuse("the edge did not answer in time"), rest.seconds * 1000 + BEYOND_MS);
		const aborted = () => refuse("nobody waits for it any more");
		signal.addEventListener("abort", aborted, { once: true });
		if (signal.aborted) aborted();
		else asked.send({ kind: "profile", number, function: id, ...rest });
		try {
			return await promise;
		} finally {
			clearTimeout(late);
			signal.removeEventListener("abort", aborted);
			this.#taking.delete(number);
			// It has nothing to end where it has said all.
			asked.send({ kind: "unprofile", number });
		}
	}

	/** An edge says something of one that it was asked for. */
	on(edge: object, said: ToControl & { kind: "profilePart" | "profiled" }): void {
		const taking = this.#taking.get(said.number);
		if (taking?.edge !== edge) return;
		if (said.kind === "profilePart") {
			const part = Buffer.from(said.bytes, "base64");
			taking.bytes += part.length;
			if (taking.bytes > MOST_BYTES) taking.reject(new ControlError("profile_failed", "the profile is too large"));
			else taking.parts.push(part);
		} else if (said.problem !== null) taking.reject(new ControlError("profile_failed", said.problem));
		else taking.resolve(Buffer.concat(taking.parts));
	}

	/** An edge is gone, and what it was at. */
	forget(edge: object): void {
		for (const taking of this.#taking.values())
			if (taking.edge === edge) taking.reject(new ControlError("profile_failed", "the edge is gone; try again"));
	}

	/** Nobody waits any more. */
	close(): void {
		for (const { reject } of this.#taking.values())
			reject(new ControlError("profile_failed", "the server is ending; try again"));
	}
}
