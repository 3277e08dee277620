import { asSingleton } from "./interface.ts";

/** https://html.spec.whatwg.org/#navigator, the part that WinterTC asks for. */
export class Navigator {
	constructor(secret?: unknown) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
	}
	/** As on Workers: libraries know by it what they may use, and it is nothing else that they find here. */
	get userAgent(): string {
		return "Cloudflare-Workers";
	}
	get language(): string {
		return "en";
	}
	get hardwareConcurrency(): number {
		return 1;
	}
}
const SECRET = Symbol("construct");
export const navigator = asSingleton(Navigator, "Navigator", new Navigator(SECRET));
