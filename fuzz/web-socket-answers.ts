const CONTROL = 8;
const CLOSE = 8;
/** https://www.rfc-editor.org/rfc/rfc6455#section-7.4: no endpoint may send these. */
const UNSENDABLE = new Set([1004, 1005, 1006, 1015]);

/** Reads frames as RFC 6455 has a server write them. Returns what is wrong with them; one that breaks off is not. */
export function frameProblem(bytes: Buffer): string | null {
	let at = 0;
	let fragments: Buffer[] | null = null;
	let text = false;
	while (bytes.length - at >= 2) {
		const [first, second] = [bytes[at], bytes[at + 1]];
		const opcode = first & 0x0f;
		const fin = (first & 0x80) !== 0;
		if ((first & 0x70) !== 0) return "a reserved bit is set";
		if ((second & 0x80) !== 0) return "a server's frame is masked";
		let length = second & 0x7f;
		let start = at + 2;
		if (length >= 126) {
			const wide = length === 127;
			if (bytes.length - start < (wide ? 8 : 2)) return null;
			length = wide ? Number(bytes.readBigUInt64BE(start)) : bytes.readUInt16BE(start);
			if (length < (wide ? 65_536 : 126)) return `a length of ${length} in more bytes than it needs`;
			start += wide ? 8 : 2;
		}
		if (bytes.length - start < length) return null;
		const payload = bytes.subarray(start, start + length);
		at = start + length;
		if (opcode >= CONTROL) {
			if (!fin || length > 125) return "a control frame that is fragmented or too long";
			if (opcode > 10) return `an opcode that is none: ${opcode}`;
			if (opcode !== CLOSE) continue;
			return closeProblem(payload) ?? (at === bytes.length ? null : "bytes after a close frame");
		}
		if (opcode > 2) return `an opcode that is none: ${opcode}`;
		if ((opcode === 0) === (fragments === null)) return "a fragment out of its order";
		if (opcode !== 0) text = opcode === 1;
		fragments = [...(fragments ?? []), payload];
		if (!fin) continue;
		if (text && !isUtf8(Buffer.concat(fragments))) return "a text that is not UTF-8";
		fragments = null;
	}
	return null;
}

function closeProblem(payload: Buffer): string | null {
	if (payload.length === 0) return null;
	if (payload.length === 1) return "a close frame of one byte";
	const code = payload.readUInt16BE(0);
	if (code < 1000 || code > 4999 || UNSENDABLE.has(code)) return `a close code of ${code}`;
	return isUtf8(payload.subarray(2)) ? null : "a reason that is not UTF-8";
}

function isUtf8(bytes: Buffer): boolean {
	return Buffer.from(bytes.toString("utf8")).equals(bytes);
}
