/** How deep, how long and how wide `inspect` goes: what Node's console does by default. */
const MAX_DEPTH = 2;
const MAX_ITEMS = 100;
const LINE = 72;

/**
 * A value as Node's console prints it, without colours. Getters are not called, and nothing that it meets can make it
 * throw.
 */
export function inspect(value: unknown, depth = MAX_DEPTH): string {
	try {
		return format(value, 0, depth, []);
	} catch {
		return "[a value that cannot be shown]";
	}
}

function format(value: unknown, level: number, depth: number, path: object[]): string {
	switch (typeof value) {
		case "string":
			return quote(value);
		case "bigint":
			return `${value}n`;
		case "number":
			return Object.is(value, -0) ? "-0" : `${value}`;
		case "symbol":
			return value.toString();
		case "object":
		case "function":
			return value === null ? "null" : formatObject(value, level, depth, path);
		default:
			return `${value as undefined}`;
	}
}

function quote(text: string): string {
	const shown = text.length > 10_000 ? `${text.slice(0, 10_000)}... ${text.length - 10_000} more characters` : text;
	const mark = !shown.includes("'") ? "'" : !shown.includes('"') ? '"' : !shown.includes("`") ? "`" : "'";
	// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what has to be made visible.
	const escaped = shown.replace(/[\x00-\x1f\x7f-\x9f\\]/g, escape);
	return `${mark}${mark === "'" ? escaped.replaceAll("'", "\\'") : escaped}${mark}`;
}

function escape(character: string): string {
	const short = { "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v", "\\": "\\\\" }[
		character
	];
	return short ?? `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

function classOf(object: object): string | null {
	for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at)) {
		const constructor = Object.getOwnPropertyDescriptor(at, "constructor")?.value as { name?: unknown } | undefined;
		if (typeof constructor === "function" && typeof constructor.name === "string" && constructor.name !== "")
			return constructor.name;
	}
	return null;
}

function formatObject(object: object, level: number, depth: number, path: object[]): string {
	if (path.includes(object)) return "[Circular *1]";
	const name = classOf(object);
	if (object instanceof Error) return formatError(object, level, depth, path);
	if (level > depth) return Array.isArray(object) ? "[Array]" : `[${name ?? "Object: null prototype"}]`;
	path.push(object);
	try {
		return describe(object, name, level, depth, path);
	} finally {
		path.pop();
	}
}

function describe(object: object, name: string | null, level: number, depth: number, path: object[]): string {
	const inner = (value: unknown) => format(value, level + 1, depth, path);
	if (Array.isArray(object)) {
		const items: string[] = [];
		let holes = 0;
		for (let i = 0; i < Math.min(object.length, MAX_ITEMS); i++) {
			if (!Object.hasOwn(object, i)) {
				holes++;
				continue;
			}
			if (holes > 0) items.push(`<${holes} empty item${holes === 1 ? "" : "s"}>`);
			holes = 0;
			items.push(inner(object[i]));
		}
		if (holes > 0) items.push(`<${holes} empty item${holes === 1 ? "" : "s"}>`);
		if (object.length > MAX_ITEMS)
			items.push(`... ${object.length - MAX_ITEMS} more item${object.length === MAX_ITEMS + 1 ? "" : "s"}`);
		items.push(...properties(object, inner, (key) => !/^\d+$/.test(key)));
		return wrap(name === "Array" || name === null ? "" : `${name}(${object.length}) `, "[", "]", items, level);
	}
	if (typeof object === "function") {
		const own = (Object.getOwnPropertyDescriptor(object, "name")?.value as unknown) ?? "";
		const isClass = /^class\b/.test(Function.prototype.toString.call(object));
		const kind = isClass ? "class" : (name ?? "Function");
		const head = isClass
			? `[class ${(own as string) || "(anonymous)"}]`
			: `[${kind}${own === "" ? " (anonymous)" : `: ${own as string}`}]`;
		const items = properties(object, inner);
		return items.length === 0 ? head : wrap(`${head} `, "{", "}", items, level);
	}
	if (object instanceof Map) {
		const items = [...Map.prototype.entries.call(object)]
			.slice(0, MAX_ITEMS)
			.map(([key, value]) => `${inner(key)} => ${inner(value)}`);
		return wrap(`${name ?? "Map"}(${object.size}) `, "{", "}", items, level);
	}
	if (object instanceof Set) {
		const items = [...Set.prototype.values.call(object)].slice(0, MAX_ITEMS).map(inner);
		return wrap(`${name ?? "Set"}(${object.size}) `, "{", "}", items, level);
	}
	if (object instanceof Date) return Number.isNaN(object.getTime()) ? "Invalid Date" : object.toISOString();
	if (object instanceof RegExp) return RegExp.prototype.toString.call(object);
	if (object instanceof Promise) return "Promise { <unknown> }";
	if (object instanceof WeakMap || object instanceof WeakSet) return `${name} { <items unknown> }`;
	if (object instanceof ArrayBuffer) {
		const bytes = [...new Uint8Array(object, 0, Math.min(object.byteLength, 50))]
			.map((byte) => byte.toString(16).padStart(2, "0"))
			.join(" ");
		return `ArrayBuffer { [Uint8Contents]: <${bytes}>, byteLength: ${object.byteLength} }`;
	}
	if (ArrayBuffer.isView(object) && !(object instanceof DataView)) {
		const view = object as unknown as ArrayLike<number | bigint>;
		const items = Array.from({ length: Math.min(view.length, MAX_ITEMS) }, (_, i) => inner(view[i]));
		if (view.length > MAX_ITEMS) items.push(`... ${view.length - MAX_ITEMS} more items`);
		return wrap(`${name}(${view.length}) `, "[", "]", items, level);
	}
	if (object instanceof Number || object instanceof String || object instanceof Boolean)
		return `[${name}: ${inner(object.valueOf())}]`;
	const visible = publicState(object, name);
	const items = visible ?? properties(object, inner);
	const prefix = name === null ? "[Object: null prototype] " : name === "Object" ? "" : `${name} `;
	return wrap(prefix, "{", "}", items, level);

	// The Web's interfaces keep their state in accessors of their prototype; show those of the ones made here.
	function publicState(target: object, className: string | null): string[] | null {
		if (className === null || !SHOWN.has(className)) return null;
		const prototype = Object.getPrototypeOf(target) as object;
		if (className === "Headers" || className === "URLSearchParams" || className === "FormData") {
			return [...(target as Iterable<[string, unknown]>)].map(([key, value]) => `${quoteKey(key)}: ${inner(value)}`);
		}
		return Object.entries(Object.getOwnPropertyDescriptors(prototype))
			.filter(([key, { get }]) => get !== undefined && key !== "body" && key !== "signal")
			.map(([key, { get }]) => `${key}: ${inner(get?.call(target))}`);
	}
}

const SHOWN = new Set(["Headers", "URLSearchParams", "FormData", "URL", "Request", "Response", "Blob", "File"]);

function quoteKey(key: string): string {
	return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key);
}

function properties(
	object: object,
	inner: (value: unknown) => string,
	keep: (key: string) => boolean = () => true,
): string[] {
	const items: string[] = [];
	for (const key of Reflect.ownKeys(object)) {
		if (typeof key === "string" && !keep(key)) continue;
		const descriptor = Object.getOwnPropertyDescriptor(object, key);
		if (descriptor === undefined || !descriptor.enumerable) continue;
		const label = typeof key === "symbol" ? `[${key.toString()}]` : quoteKey(key);
		if (descriptor.get !== undefined)
			items.push(`${label}: [${descriptor.set === undefined ? "Getter" : "Getter/Setter"}]`);
		else if (descriptor.set !== undefined) items.push(`${label}: [Setter]`);
		else items.push(`${label}: ${inner(descriptor.value)}`);
		if (items.length > MAX_ITEMS) {
			items.push("...");
			break;
		}
	}
	return items;
}

function wrap(prefix: string, open: string, close: string, items: string[], level: number): string {
	if (items.length === 0) return `${prefix}${open}${close}`;
	const length = items.reduce((sum, item) => sum + item.length + 2, prefix.length);
	if (length <= LINE && !items.some((item) => item.includes("\n")))
		return `${prefix}${open} ${items.join(", ")} ${close}`;
	const indent = "  ".repeat(level + 1);
	return `${prefix}${open}\n${indent}${items.join(`,\n${indent}`)}\n${"  ".repeat(level)}${close}`;
}

function formatError(error: Error, level: number, depth: number, path: object[]): string {
	const read = (key: string): unknown => {
		for (let at: object | null = error; at !== null; at = Object.getPrototypeOf(at)) {
			const descriptor = Object.getOwnPropertyDescriptor(at, key);
			if (descriptor !== undefined)
				return Object.hasOwn(descriptor, "value")
					? descriptor.value
					: key === "stack" || at !== error
						? descriptor.get?.call(error)
						: undefined;
		}
		return undefined;
	};
	const stack = read("stack");
	const text =
		typeof stack === "string" && stack !== "" ? stack : `${String(read("name"))}: ${String(read("message"))}`;
	const shown = level === 0 ? text : text.replaceAll("\n", `\n${"  ".repeat(level)}`);
	path.push(error);
	const extra = properties(
		error,
		(value) => format(value, level + 1, depth, path),
		(key) => key !== "stack" && key !== "message" && key !== "cause",
	);
	const cause = Object.getOwnPropertyDescriptor(error, "cause");
	if (cause !== undefined && Object.hasOwn(cause, "value"))
		extra.push(`[cause]: ${format(cause.value, level + 1, depth, path)}`);
	path.pop();
	return extra.length === 0
		? shown
		: `${shown} {\n${"  ".repeat(level + 1)}${extra.join(`,\n${"  ".repeat(level + 1)}`)}\n${"  ".repeat(level)}}`;
}

/** https://console.spec.whatwg.org/#formatter, with the specifiers that Node knows. */
export function formatLog(args: unknown[]): string {
	let rest = args;
	let text = "";
	if (typeof args[0] === "string") {
		rest = args.slice(1);
		text =
			args.length === 1
				? args[0]
				: args[0].replace(/%[sdifjoOc%]/g, (specifier) => {
						if (specifier === "%%") return "%";
						if (rest.length === 0) return specifier;
						const value = rest[0];
						rest = rest.slice(1);
						switch (specifier) {
							case "%s":
								return typeof value === "string"
									? value
									: typeof value === "object" && value !== null
										? inspect(value, 0)
										: typeof value === "bigint"
											? `${value}n`
											: String(value);
							case "%d":
								return typeof value === "bigint" ? `${value}n` : typeof value === "object" ? "NaN" : `${Number(value)}`;
							case "%i":
								return typeof value === "bigint"
									? `${value}n`
									: typeof value === "object"
										? "NaN"
										: `${Number.parseInt(String(value), 10)}`;
							case "%f":
								return typeof value === "symbol" ? "NaN" : `${Number.parseFloat(String(value))}`;
							case "%j":
								return safeJson(value);
							case "%c":
								return "";
							default:
								return inspect(value, 4);
						}
					});
	} else if (args.length > 0) {
		text = inspect(args[0]);
		rest = args.slice(1);
	}
	for (const value of rest) text += ` ${typeof value === "string" ? value : inspect(value)}`;
	return text;
}

function safeJson(value: unknown): string {
	try {
		return JSON.stringify(value) ?? "undefined";
	} catch {
		return "[Circular]";
	}
}
