import { asInterface } from "../interface.ts";

// https://webidl.spec.whatwg.org/#idl-DOMException-error-names
const CODES: Record<string, number> = {
	IndexSizeError: 1,
	HierarchyRequestError: 3,
	WrongDocumentError: 4,
	InvalidCharacterError: 5,
	NoModificationAllowedError: 7,
	NotFoundError: 8,
	NotSupportedError: 9,
	InUseAttributeError: 10,
	InvalidStateError: 11,
	SyntaxError: 12,
	InvalidModificationError: 13,
	NamespaceError: 14,
	InvalidAccessError: 15,
	TypeMismatchError: 17,
	SecurityError: 18,
	NetworkError: 19,
	AbortError: 20,
	URLMismatchError: 21,
	QuotaExceededError: 22,
	TimeoutError: 23,
	InvalidNodeTypeError: 24,
	DataCloneError: 25,
};

/** https://webidl.spec.whatwg.org/#idl-DOMException */
export class DOMException extends Error {
	#name: string;
	#message: string;

	constructor(message: unknown = "", name: unknown = "Error") {
		super();
		this.#message = `${message as string}`;
		// Node and browsers accept an options bag with `cause` in the name's place; so does code written for them.
		if (typeof name === "object" && name !== null) {
			const options = name as { name?: unknown; cause?: unknown };
			this.#name = options.name === undefined ? "Error" : `${options.name as string}`;
			if ("cause" in options)
				Object.defineProperty(this, "cause", { value: options.cause, configurable: true, writable: true });
		} else {
			this.#name = `${name as string}`;
		}
		const trace = this.stack;
		if (typeof trace === "string") {
			const frames = trace.indexOf("\n    at ");
			Object.defineProperty(this, "stack", {
				value: `${this.#name}: ${this.#message}${frames < 0 ? "" : trace.slice(frames)}`,
				configurable: true,
				writable: true,
			});
		}
	}

	override get name(): string {
		return this.#name;
	}

	override get message(): string {
		return this.#message;
	}

	get code(): number {
		return Object.hasOwn(CODES, this.#name) ? CODES[this.#name] : 0;
	}
}

asInterface(DOMException, "DOMException");
/** The constants, in the order of their values, from 1: https://webidl.spec.whatwg.org/#idl-DOMException */
const CONSTANTS =
	"INDEX_SIZE DOMSTRING_SIZE HIERARCHY_REQUEST WRONG_DOCUMENT INVALID_CHARACTER NO_DATA_ALLOWED NO_MODIFICATION_ALLOWED NOT_FOUND NOT_SUPPORTED INUSE_ATTRIBUTE INVALID_STATE SYNTAX INVALID_MODIFICATION NAMESPACE INVALID_ACCESS VALIDATION TYPE_MISMATCH SECURITY NETWORK ABORT URL_MISMATCH QUOTA_EXCEEDED TIMEOUT INVALID_NODE_TYPE DATA_CLONE";
for (const [i, name] of CONSTANTS.split(" ").entries()) {
	for (const holder of [DOMException, DOMException.prototype])
		Object.defineProperty(holder, `${name}_ERR`, { value: i + 1, enumerable: true });
}
