import { randomBytes } from "node:crypto";
import type { z } from "zod";
import { nearest } from "../../logs/query/fields.ts";
import { ControlError } from "../control-error.ts";
import type { AlertSilenceDocument } from "../store/documents.ts";
import { type Change, retried, type Store } from "../store/store.ts";
import { RESERVED } from "./rule.ts";
import { type Owner, ownKey, whoseOf } from "./rules.ts";
import type { silenceSchema } from "./silence.ts";

const MOST_SILENCES = 100;
/** One that is over is shown for so long. */
const SHOWN_MS = 86_400_000;

/** Of what nobody is told for a while, in the store. */
export class Silences {
	readonly #store: Store;

	constructor(store: Store) {
		this.#store = store;
	}

	/** Those of a tenant, or of the operator; what has been over for a day is left out. */
	async list(owner: Owner): Promise<AlertSilenceDocument[]> {
		return (await this.#all(owner)).map(({ value }) => value).filter((one) => !isForgotten(one));
	}

	#all(owner: Owner) {
		return this.#store.list("alertSilence", { prefix: ownKey(owner, "") });
	}

	async add(by: string, owner: Owner, given: z.output<typeof silenceSchema>): Promise<AlertSilenceDocument> {
		const id = randomBytes(8).toString("hex");
		const key = ownKey(owner, id);
		const created = new Date().toISOString();
		const timeOf = (text: string) => new Date(text).toISOString();
		const value: AlertSilenceDocument = {
			...{ id, tenant: owner, matchers: given.matchers, by, comment: given.comment, created },
			...{ from: given.from === undefined ? created : timeOf(given.from), until: timeOf(given.until) },
		};
		if (Date.parse(value.until) <= Date.now()) throw new ControlError("invalid", "until: is over already");
		await this.#check(owner, given.matchers);
		await retried(async () => {
			const all = await this.#all(owner);
			const old = all.filter((one) => isForgotten(one.value));
			if (all.length - old.length >= MOST_SILENCES)
				throw new ControlError("invalid", `${whoseOf(owner)} may have ${MOST_SILENCES} silences: remove one first`);
			const gone = old.map(
				(one): Change => ({ kind: "alertSilence", key: one.key, value: null, expected: one.revision }),
			);
			await this.#store.commit({ actor: by, action: "alert-silence.add", target: key }, [
				{ kind: "alertSilence", key, value, expected: 0 },
				...gone,
			]);
		});
		return value;
	}

	/** Throws ControlError `invalid` for a label that no alert has which its owner is told of. */
	async #check(owner: Owner, matchers: readonly string[]): Promise<void> {
		const labels = new Set(RESERVED);
		for (const one of new Set([null, owner]))
			for (const { value } of await this.#store.list("alertRule", { prefix: ownKey(one, "") }))
				for (const label of Object.keys(value.settings.labels)) labels.add(label);
		for (const matcher of matchers) {
			const label = matcher.slice(0, matcher.search(/!?=/));
			if (labels.has(label)) continue;
			const near = nearest(label, labels);
			const hint = near === null ? `alerts have ${[...labels].join(", ")}` : `did you mean ${near}?`;
			throw new ControlError("invalid", `matchers: no alert has a label ${label}: ${hint}`);
		}
	}

	/** Throws ControlError `not_found`. */
	async remove(actor: string, owner: Owner, id: string): Promise<void> {
		await retried(async () => {
			const entry = await this.#store.get("alertSilence", ownKey(owner, id));
			if (entry === null) throw new ControlError("not_found", `${whoseOf(owner)} has no silence ${JSON.stringify(id)}`);
			await this.#store.commit({ actor, action: "alert-silence.remove", target: entry.key }, [
				{ kind: "alertSilence", key: entry.key, value: null, expected: entry.revision },
			]);
		});
	}
}

const isForgotten = ({ until }: AlertSilenceDocument) => Date.parse(until) < Date.now() - SHOWN_MS;
