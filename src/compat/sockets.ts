/** `cloudflare:sockets`: https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/ */
interface Sockets {
	connect(address: unknown, options?: unknown): object;
}

declare const __atoll_exports: { sockets(): Sockets };

// There until the function's exports are taken, and for nobody after it.
export const { connect } = __atoll_exports.sockets();
export default { connect };
