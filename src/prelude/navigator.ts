import { asInterface } from "./interface.ts";

/** https://html.spec.whatwg.org/#navigator, the part that WinterTC asks for. */
export class Navigator {
	constructor(secret?: unknown) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
	}
	get userAgent(): string {
		return "atoll";
	}
	get language(): string {
		return "en";
	}
	get hardwareConcurrency(): number {
		return 1;
	}
}
const SECRET = Symbol("construct");
asInterface(Navigator, "Navigator", { constructor: 0 });
export const navigator = new Navigator(SECRET);
