import { fetchBy } from "../bindings/fetch/isolate.ts";
import { waitUntil } from "./execution-context.ts";
import { Request } from "./fetch/request.ts";
import { asSingleton, requireArguments } from "./interface.ts";
import { requireContext } from "./io-context.ts";

/**
 * https://html.spec.whatwg.org/#navigator, the part that WinterTC asks for, and `sendBeacon`
 * (https://w3c.github.io/beacon/), which Workers have.
 */
export class Navigator {
	constructor(secret?: unknown) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
	}
	/** As on Workers: libraries know by it what they may use, and it is nothing else that they find here. */
	get userAgent(): string {
		return "Cloudflare-Workers";
	}
	/** Sends a POST of which nobody hears how it ends; the request that it is called in lasts until then. */
	sendBeacon(url: unknown, data: unknown = null): boolean {
		requireArguments(arguments.length, 1, "Navigator.sendBeacon");
		const request = new Request(url, { method: "POST", body: data });
		const send = async () => {
			try {
				const response = await fetchBy(0, request);
				await response.body?.cancel();
			} catch {
				// As with the answer, so with this.
			}
		};
		waitUntil(requireContext("navigator.sendBeacon()"), send());
		return true;
	}
	get language(): string {
		return "en";
	}
	get hardwareConcurrency(): number {
		return 1;
	}
}
const SECRET = Symbol("construct");
export const navigator = asSingleton(Navigator, "Navigator", new Navigator(SECRET), { sendBeacon: 1 });
