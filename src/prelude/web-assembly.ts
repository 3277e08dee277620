import { headerValue } from "./fetch/headers.ts";
import { type Response, responseState } from "./fetch/response.ts";

interface WebAssemblyNamespace {
	Module: new (bytes: unknown) => object;
	Instance: new (module: object, imports?: unknown) => object;
}

/** https://webassembly.github.io/spec/web-api/#compile-a-potential-webassembly-response */
async function bytesOf(source: unknown): Promise<ArrayBuffer> {
	const response = (await source) as Response;
	const state = responseState(response);
	if (state === null) throw new TypeError("WebAssembly: the source is not a Response");
	if (headerValue(state, "content-type")?.trim().toLowerCase() !== "application/wasm")
		throw new TypeError("WebAssembly: the response's Content-Type is not application/wasm");
	if (!response.ok) throw new TypeError(`WebAssembly: the response's status is ${response.status}`);
	return (response as unknown as { arrayBuffer(): Promise<ArrayBuffer> }).arrayBuffer();
}

/**
 * The asynchronous half of WebAssembly. V8 adds the namespace to an isolate that it makes from a snapshot, so this is
 * done when one is parked. V8's own functions compile on other threads and would never hear that they are done, since
 * nothing runs in an isolate between turns; these compile in the turn, where it counts as the request's CPU time.
 */
export function installAsyncWebAssembly(): void {
	const { WebAssembly } = globalThis as unknown as { WebAssembly?: WebAssemblyNamespace };
	if (WebAssembly === undefined) return;
	const { Module, Instance } = WebAssembly;
	const instantiateBytes = (bytes: unknown, imports: unknown) => {
		const module = new Module(bytes);
		return { module, instance: new Instance(module, imports) };
	};
	const methods: Record<string, (...args: never[]) => Promise<object>> = {
		compile: async (bytes: unknown) => new Module(bytes),
		instantiate: async (source: unknown, imports?: unknown) =>
			source instanceof Module ? new Instance(source, imports) : instantiateBytes(source, imports),
		compileStreaming: async (source: unknown) => new Module(await bytesOf(source)),
		instantiateStreaming: async (source: unknown, imports?: unknown) =>
			instantiateBytes(await bytesOf(source), imports),
	};
	for (const name of Object.keys(methods)) {
		const method = methods[name];
		Object.defineProperty(method, "length", { value: 1 });
		Object.defineProperty(WebAssembly, name, { value: method, writable: true, enumerable: true, configurable: true });
	}
}
