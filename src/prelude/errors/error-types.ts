const TYPES: Record<string, ErrorConstructor> = {
	Error,
	EvalError,
	RangeError,
	ReferenceError,
	SyntaxError,
	TypeError,
	URIError,
};

/**
 * The constructor of an error that is copied, by its name: one of ECMAScript's own, or Error for whatever else it is
 * called.
 */
export const errorType = (name: string): ErrorConstructor => (Object.hasOwn(TYPES, name) ? TYPES[name] : Error);
