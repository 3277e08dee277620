/** How a WebSocket closes: https://www.rfc-editor.org/rfc/rfc6455#section-7.1.5 */
export interface SocketClose {
	code: number;
	reason: string;
}

const CODE = /^[1-4]\d\d\d /;
/** As many bytes as fit into a control frame beside the code. */
const MAX_REASON = 123;

export function encodeSocketClose(code: number, reason: string): string {
	return `${code} ${reason}`;
}

export function isSocketClose(text: string): boolean {
	return CODE.test(text) && text.length <= 5 + MAX_REASON;
}

export function decodeSocketClose(text: string): SocketClose {
	return { code: Number(text.slice(0, 4)), reason: text.slice(5) };
}
