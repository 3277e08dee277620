/** `parseArgs` of `node:util`: https://nodejs.org/api/util.html#utilparseargsconfig */
import { withCode } from "./node-errors.ts";

type Value = string | boolean;
interface OptionConfig {
	type: "string" | "boolean";
	short?: string;
	multiple?: boolean;
	default?: Value | Value[];
}
interface Config {
	args?: string[];
	options?: Record<string, OptionConfig>;
	strict?: boolean;
	allowPositionals?: boolean;
	allowNegative?: boolean;
	tokens?: boolean;
}
type Token =
	| { kind: "option"; name: string; rawName: string; index: number; value: string | undefined; inlineValue?: boolean }
	| { kind: "positional"; index: number; value: string }
	| { kind: "option-terminator"; index: number };
interface Parsed {
	values: Record<string, Value | Value[]>;
	positionals: string[];
	tokens?: Token[];
}

const failure = (code: string, message: string) => withCode(new TypeError(message), `ERR_PARSE_ARGS_${code}`);

export function parseArgs(config: Config = {}): Parsed {
	const { args = [], options = {}, strict = true, allowNegative = false } = config;
	const allowPositionals = config.allowPositionals ?? !strict;
	const tokens = tokensOf(args, options);
	const values = Object.create(null) as Parsed["values"];
	const positionals: string[] = [];
	for (const token of tokens) {
		if (token.kind === "positional") {
			if (!allowPositionals)
				throw failure(
					"UNEXPECTED_POSITIONAL",
					`Unexpected argument '${token.value}'. This command does not take positional arguments`,
				);
			positionals.push(token.value);
		} else if (token.kind === "option") {
			const negated = allowNegative && token.value === undefined && isNegated(token.name, options);
			if (negated) token.name = token.name.slice(3);
			const { name } = token;
			if (strict) check(token, options, { name, negated, allowPositionals });
			if (name !== "__proto__") store(values, name, token.value ?? !negated, options[name]?.multiple === true);
		}
	}
	for (const [name, { default: standard }] of Object.entries(options))
		if (standard !== undefined && !(name in values)) values[name] = standard;
	return config.tokens === true ? { values, positionals, tokens } : { values, positionals };
}

const isNegated = (name: string, options: Record<string, OptionConfig>) =>
	name.startsWith("no-") && !Object.hasOwn(options, name);

function tokensOf(args: string[], options: Record<string, OptionConfig>): Token[] {
	const tokens: Token[] = [];
	const takesValue = (name: string) => Object.hasOwn(options, name) && options[name].type === "string";
	const longOf = (short: string) => Object.entries(options).find(([, option]) => option.short === short)?.[0] ?? short;
	for (let index = 0; index < args.length; index++) {
		const arg = args[index];
		const option = (name: string, rawName: string, inline: string | undefined) => {
			const next = args[index + 1];
			const at = index;
			if (inline !== undefined)
				tokens.push({ kind: "option", name, rawName, index: at, value: inline, inlineValue: true });
			else if (takesValue(name) && next !== undefined) {
				index++;
				tokens.push({ kind: "option", name, rawName, index: at, value: next, inlineValue: false });
			} else tokens.push({ kind: "option", name, rawName, index: at, value: undefined, inlineValue: undefined });
		};
		if (arg === "--") {
			tokens.push({ kind: "option-terminator", index });
			for (index++; index < args.length; index++) tokens.push({ kind: "positional", index, value: args[index] });
		} else if (arg.startsWith("--")) {
			const equals = arg.indexOf("=", 3);
			const name = equals === -1 ? arg.slice(2) : arg.slice(2, equals);
			option(name, `--${name}`, equals === -1 ? undefined : arg.slice(equals + 1));
		} else if (arg.length > 1 && arg.startsWith("-")) {
			// Several in one, of which one with a value takes what is left, or else the next argument.
			const start = index;
			for (let at = 1; at < arg.length && index === start; at++) {
				const name = longOf(arg[at]);
				const isLast = at === arg.length - 1;
				if (takesValue(name) && !isLast) {
					option(name, `-${arg[at]}`, arg.slice(at + 1));
					break;
				}
				if (isLast || !takesValue(name)) option(name, `-${arg[at]}`, undefined);
			}
		} else tokens.push({ kind: "positional", index, value: arg });
	}
	return tokens;
}

function check(
	token: Token & { kind: "option" },
	options: Record<string, OptionConfig>,
	{ name, negated, allowPositionals }: { name: string; negated: boolean; allowPositionals: boolean },
): void {
	const { rawName, value, inlineValue } = token;
	if (!Object.hasOwn(options, name)) {
		const advice = allowPositionals
			? `. To specify a positional argument starting with a '-', place it at the end of the command after '--', as in '-- "${rawName}"`
			: "";
		throw failure("UNKNOWN_OPTION", `Unknown option '${rawName}'${advice}`);
	}
	const { type, short } = options[name];
	const shown = `${short === undefined ? "" : `-${short}, `}--${name}`;
	if (type === "string" && value === undefined && !negated)
		throw failure("INVALID_OPTION_VALUE", `Option '${shown} <value>' argument missing`);
	if (type === "boolean" && value !== undefined)
		throw failure("INVALID_OPTION_VALUE", `Option '${shown}' does not take an argument`);
	if (type === "string" && inlineValue === false && (value as string).length > 1 && (value as string).startsWith("-")) {
		const example = rawName.startsWith("--") ? `'${rawName}=-XYZ'` : `'--${name}=-XYZ' or '${rawName}-XYZ'`;
		throw failure(
			"INVALID_OPTION_VALUE",
			`Option '${rawName}' argument is ambiguous.\nDid you forget to specify the option argument for '${rawName}'?\nTo specify an option argument starting with a dash use ${example}.`,
		);
	}
}

function store(values: Parsed["values"], name: string, value: Value, multiple: boolean): void {
	if (!multiple) values[name] = value;
	else if (name in values) (values[name] as Value[]).push(value);
	else values[name] = [value];
}
