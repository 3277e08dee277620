import { asInterface, toDictionary } from "../interface.ts";
import { DOMException } from "./dom-exception.ts";

/** https://webidl.spec.whatwg.org/#quotaexceedederror */
export class QuotaExceededError extends DOMException {
	readonly #quota: number | null;
	readonly #requested: number | null;

	constructor(message: unknown = "", options?: unknown) {
		super(message, "QuotaExceededError");
		const { quota, requested } = toDictionary(options, "QuotaExceededError constructor");
		this.#quota = toAmount(quota, "quota");
		this.#requested = toAmount(requested, "requested");
		if (this.#quota !== null && this.#requested !== null && this.#requested < this.#quota)
			throw new RangeError("QuotaExceededError constructor: requested is less than quota");
	}
	get quota(): number | null {
		return this.#quota;
	}
	get requested(): number | null {
		return this.#requested;
	}
}
asInterface(QuotaExceededError, "QuotaExceededError", { constructor: 0 });

function toAmount(value: unknown, name: string): number | null {
	if (value === undefined) return null;
	const amount = Number(value);
	if (!Number.isFinite(amount)) throw new TypeError(`QuotaExceededError constructor: ${name} is not a finite number`);
	if (amount < 0) throw new RangeError(`QuotaExceededError constructor: ${name} is negative`);
	return amount;
}
