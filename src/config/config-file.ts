import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { relative, sep } from "node:path";
import { type ParseError, parse as parseJsonc, printParseErrorCode } from "jsonc-parser";
import { parse as parseToml } from "smol-toml";
import type { z } from "zod";
import { UsageError } from "../errors.ts";
import type { Bytes } from "../units.ts";

const MAX_BYTES: Bytes = 2 ** 20;

/** A path as a message shows it. */
export function shown(path: string): string {
	return relative(process.cwd(), path) || ".";
}

/** Whether a path leads to something that lies in a folder, wherever links lead. Throws where it leads nowhere. */
export function liesIn(folder: string, path: string): boolean {
	const root = realpathSync(folder);
	const real = realpathSync(path);
	return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep);
}

/**
 * A function's configuration, which whoever wrote the function wrote as well: it is read with bounds, and from its own
 * folder alone.
 */
export class ConfigFile {
	readonly path: string;
	/** What it says, as far as it could be read. */
	readonly value: unknown;
	readonly #problem: string | null;

	constructor(folder: string, path: string) {
		this.path = path;
		if (!liesIn(folder, path)) throw new UsageError(`${shown(path)}: it leads out of its folder`);
		const text = readText(path);
		const { value, problem } = path.endsWith(".toml") ? fromToml(text) : fromJsonc(text);
		this.value = value;
		this.#problem = problem;
	}

	/** What it says, checked. Throws UsageError that names the place and what is wrong there. */
	check<T>(schema: z.ZodType<T>): T {
		if (this.#problem !== null) throw new UsageError(`${shown(this.path)}:${this.#problem}`);
		const parsed = schema.safeParse(this.value);
		if (parsed.success) return parsed.data;
		const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`);
		throw new UsageError(`${shown(this.path)}: ${problems.join("; ")}`);
	}
}

/** Reads a regular file: neither a pipe, at which reading would wait, nor a device without end. */
export function readText(path: string): string {
	const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
	try {
		if (!fstatSync(file).isFile()) throw new UsageError(`${shown(path)}: it is no file`);
		const bytes = Buffer.alloc(MAX_BYTES + 1);
		let size = 0;
		for (let read = -1; read !== 0 && size < bytes.length; size += read)
			read = readSync(file, bytes, size, bytes.length - size, null);
		if (size > MAX_BYTES) throw new UsageError(`${shown(path)}: it is larger than ${MAX_BYTES} bytes`);
		return bytes.toString("utf8", 0, size);
	} finally {
		closeSync(file);
	}
}

function fromToml(text: string): { value: unknown; problem: string | null } {
	try {
		return { value: parseToml(text), problem: null };
	} catch (error) {
		return { value: {}, problem: ` ${(error as Error).message}` };
	}
}

function fromJsonc(text: string): { value: unknown; problem: string | null } {
	const errors: ParseError[] = [];
	const value = parseJsonc(text, errors, { allowTrailingComma: true }) as unknown;
	if (errors.length === 0) return { value, problem: null };
	const before = text.slice(0, errors[0].offset).split("\n");
	const place = `${before.length}:${before[before.length - 1].length + 1}`;
	return { value, problem: `${place}: it is no JSON: ${inWords(printParseErrorCode(errors[0].error))}` };
}

/** `CommaExpected` as `comma expected`. */
const inWords = (code: string) => code.replaceAll(/(?<!^)(?=[A-Z])/g, " ").toLowerCase();
