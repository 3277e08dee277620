import { type HelperAnswer, HelperKind } from "../link/helper-frames.ts";
import { MAX_ERROR_TEXT } from "../link/messages.ts";
import type { TenantNumber, VersionNumber } from "../link/protocol.ts";
import type { Launcher } from "../processes/launcher.ts";
import type { Bytes, Microseconds } from "../units.ts";
import { Helper, HelperLost } from "./helper.ts";
import type { MappedStack, StackRequest } from "./mapped-stack.ts";

/** So many stacks of a tenant's may wait for their turn. */
const MOST_WAITING = 100;
/** Twice what an error's stack may have: it may stand among other text. */
const MOST_TEXT = 4 * MAX_ERROR_TEXT;
/** That of a bundle of 8 MB has 13, with its source. */
const MOST_MAP: Bytes = 32 * 2 ** 20;
/** What it takes the edge to read a source map and to send it. */
const US_PER_BYTE: Microseconds = 0.005;

/** What stacks are mapped by. */
export interface MappedVersion {
	number: VersionNumber;
	tenantNumber: TenantNumber;
	/** The name of its script in its stacks. */
	filename: string;
	/** Its source map, as JSON. Rejects where it is larger than `most`. */
	sourceMap(most: Bytes): Promise<Uint8Array>;
}

/** Maps stacks of functions into their source, in a helper. */
export class StackMapper {
	readonly #helper: Helper;
	/** Source maps on their way to the helper. */
	readonly #loading = new Map<VersionNumber, Promise<unknown>>();

	constructor(launcher: Launcher) {
		this.#helper = new Helper(launcher, MOST_WAITING);
	}

	/** Whether a text may well have stack frames of a version. Goes through it twice, and no more. */
	static concerns(text: string, { filename }: MappedVersion): boolean {
		return text.length <= MOST_TEXT && text.includes(`${filename}:`) && text.includes("at ");
	}

	/** A text that concerns it, with its stack frames mapped; as it is, with a note, where that cannot be done. */
	async map(text: string, version: MappedVersion): Promise<MappedStack> {
		try {
			let answer = await this.#ask(text, version);
			if (answer.kind === HelperKind.lacking) {
				await this.#load(version);
				answer = await this.#ask(text, version);
			}
			return mappedStack(answer);
		} catch (error) {
			return { text: `${text}\n    (not mapped into the source: ${(error as Error).message})`, excerpt: null };
		}
	}

	#ask(text: string, { number, tenantNumber, filename }: MappedVersion): Promise<HelperAnswer> {
		const request: StackRequest = { filename, text };
		return this.#helper.run(tenantNumber, () =>
			this.#helper.send({ kind: HelperKind.stack, id: number, text: JSON.stringify(request) }),
		);
	}

	#load(version: MappedVersion): Promise<unknown> {
		let loading = this.#loading.get(version.number);
		if (loading === undefined) {
			loading = this.#send(version).finally(() => this.#loading.delete(version.number));
			this.#loading.set(version.number, loading);
		}
		return loading;
	}

	/** Read when it is its turn, so that the edge holds one at a time. */
	#send(version: MappedVersion): Promise<HelperAnswer> {
		const { number, tenantNumber } = version;
		return this.#helper.run(tenantNumber, async () => {
			const { generation } = this.#helper;
			const map = await version.sourceMap(MOST_MAP);
			if (generation !== this.#helper.generation) throw new HelperLost("the helper was lost", false);
			this.#helper.charge(tenantNumber, map.length * US_PER_BYTE);
			this.#helper.send({ kind: HelperKind.sourceMap, id: number, data: map });
		});
	}

	/** Stacks and source maps that the helper has read. */
	get jobs(): number {
		return this.#helper.jobs;
	}

	async close(): Promise<void> {
		await this.#helper.close();
	}
}

/** A helper's word for what a text maps to. It read what a stranger made, and is not trusted to have got over that. */
function mappedStack({ kind, text }: HelperAnswer): MappedStack {
	const { text: mapped, excerpt = null } =
		kind === HelperKind.done ? (Object(JSON.parse(text)) as Partial<MappedStack>) : {};
	const { file, line, text: source } = Object(excerpt) as NonNullable<MappedStack["excerpt"]>;
	const whole = typeof file === "string" && typeof line === "number" && typeof source === "string";
	if (typeof mapped !== "string" || (excerpt !== null && !whole)) throw new Error("the helper has no answer");
	return { text: mapped, excerpt: excerpt === null ? null : { file, line, text: source } };
}
