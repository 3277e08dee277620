import { z } from "zod";
import type { TenantName } from "../../names.ts";
import type { StoredData } from "../../stores/data-process.ts";
import type { Bytes, Milliseconds } from "../../units.ts";
import type { Caller, EdgeBinding, OpenBinding } from "../binding.ts";
import type { EdgeServices } from "../edges.ts";
import type { AnalyticsWrite } from "./calls.ts";
import { LONGEST_POINT, MOST_POINTS } from "./schema.ts";

const settings = z.strictObject({
	/** The dataset's name, of its tenant's. */
	dataset: z.string().regex(/^[\w-]{1,100}$/, "must have up to 100 letters, digits, `-` and `_`"),
});
type Settings = z.output<typeof settings>;

/** What waits to be written is written after so long at the latest, and so much of it at a time. */
const WAIT_MS: Milliseconds = 1000;
const MOST_AT_ONCE: Bytes = 64 * 1024;
/** So much may wait of one tenant, and of all; what is more is left out. */
const MOST_OF_TENANT: Bytes = 512 * 1024;
const MOST_IN_ALL: Bytes = 16 * 2 ** 20;
/** What a point takes beside its letters. */
const POINT_BYTES: Bytes = 100;
/** Who closes waits no longer than this for what is still to be written. */
const CLOSE_MS: Milliseconds = 2000;

interface Point {
	dataset: string;
	time: Milliseconds;
	/** As its isolate has written it: nobody here reads it. */
	text: string;
}

/** What waits to be written of a tenant. */
class Waiting {
	points: Point[] = [];
	bytes: Bytes = 0;
	dropped: Record<string, number> = Object.create(null);
	timer: NodeJS.Timeout | null = null;
	/** One call at a time. */
	writing: Promise<void> | null = null;
}

/** Data points to be counted later: https://developers.cloudflare.com/analytics/analytics-engine/ */
class AnalyticsBinding implements EdgeBinding<Settings> {
	readonly settings = settings;
	readonly #data: StoredData;
	readonly #tenants = new Map<TenantName, Waiting>();
	#bytes: Bytes = 0;

	constructor({ data }: EdgeServices) {
		this.#data = data;
	}

	open({ dataset }: Settings, { function: { tenant } }: Caller): OpenBinding {
		let taken = 0;
		return {
			prepare: () => null,
			note: (text) => {
				if (text.length > LONGEST_POINT || text.includes("\n") || ++taken > MOST_POINTS) return false;
				this.#take(tenant, { dataset, time: Date.now(), text });
				return true;
			},
		};
	}

	#take(tenant: TenantName, point: Point): void {
		let waiting = this.#tenants.get(tenant);
		if (waiting === undefined) {
			waiting = new Waiting();
			this.#tenants.set(tenant, waiting);
		}
		const bytes = sizeOf(point);
		if (waiting.bytes + bytes > MOST_OF_TENANT || this.#bytes + bytes > MOST_IN_ALL) {
			waiting.dropped[point.dataset] = (waiting.dropped[point.dataset] ?? 0) + 1;
		} else {
			waiting.points.push(point);
			waiting.bytes += bytes;
			this.#bytes += bytes;
		}
		if (waiting.writing !== null) return;
		if (waiting.bytes >= MOST_AT_ONCE) this.#write(tenant, waiting);
		else waiting.timer ??= setTimeout(() => this.#write(tenant, waiting), WAIT_MS).unref();
	}

	#write(tenant: TenantName, waiting: Waiting): void {
		if (waiting.timer !== null) clearTimeout(waiting.timer);
		waiting.timer = null;
		waiting.writing ??= this.#writeAll(tenant, waiting).finally(() => {
			waiting.writing = null;
			this.#tenants.delete(tenant);
		});
	}

	/** Writes what waits, and what has come meanwhile. */
	async #writeAll(tenant: TenantName, waiting: Waiting): Promise<void> {
		while (waiting.points.length > 0 || Object.keys(waiting.dropped).length > 0) {
			const { dropped } = waiting;
			waiting.dropped = Object.create(null);
			let count = 0;
			for (let bytes = 0; count < waiting.points.length && bytes < MOST_AT_ONCE; count++)
				bytes += sizeOf(waiting.points[count]);
			const batch = waiting.points.splice(0, count);
			const said: AnalyticsWrite = { tenant, dropped, points: batch.map(({ dataset, time }) => ({ dataset, time })) };
			const bytes = Buffer.from(batch.map(({ text }) => text).join("\n"));
			// Where it cannot be written it is left out: nobody waits for it.
			await this.#data.ask(tenant, { store: "analytics", operation: "write", said, bytes }).catch(() => undefined);
			const written = batch.reduce((sum, point) => sum + sizeOf(point), 0);
			waiting.bytes -= written;
			this.#bytes -= written;
		}
	}

	async close(): Promise<void> {
		const all = [...this.#tenants].map(([tenant, waiting]) => {
			this.#write(tenant, waiting);
			return waiting.writing;
		});
		const late = Promise.withResolvers<void>();
		const timer = setTimeout(late.resolve, CLOSE_MS);
		await Promise.race([Promise.all(all), late.promise]);
		clearTimeout(timer);
	}
}

function sizeOf({ dataset, text }: Point): Bytes {
	return POINT_BYTES + dataset.length + 2 * text.length;
}

export const create = (services: EdgeServices): EdgeBinding<Settings> => new AnalyticsBinding(services);
