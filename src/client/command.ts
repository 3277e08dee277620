import { text } from "node:stream/consumers";
import { printable } from "../observe/printable.ts";
import { Client } from "./client.ts";
import { ClientError, Exit } from "./client-error.ts";
import { connectionOf } from "./credentials.ts";
import type { Share } from "./shapes.ts";

/** What all commands take. */
export interface ClientOptions {
	server?: string;
	tenant: string;
	json?: boolean;
}

/** Who is asked, by a command's flags. */
export const clientOf = ({ server }: ClientOptions) =>
	new Client(connectionOf({ ...(server !== undefined && { server }) }));
/** A function's place in the API. */
export const pathOf = ({ tenant }: ClientOptions, name: string) =>
	`/tenants/${encodeURIComponent(tenant)}/functions/${encodeURIComponent(name)}`;

/** What a command has to say: JSON for programs, lines for people. */
export function say({ json }: ClientOptions, value: unknown, lines: () => string): void {
	console.log(json ? JSON.stringify(value, null, 2) : printable(lines()));
}

/** Lines of columns, as wide as what is in them, below their names; `none` where there is nothing to show. */
export function listing(names: string[], rows: string[][], none: string): string {
	return rows.length === 0 ? none : table([names, ...rows]);
}

/** Lines of columns, as wide as what is in them. */
export function table(rows: string[][]): string {
	const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i].length))) ?? [];
	return rows
		.map((row) =>
			row
				.map((cell, i) => cell.padEnd(widths[i]))
				.join("  ")
				.trimEnd(),
		)
		.join("\n");
}

/** What takes a while is told on standard error, where it is in nobody's way. */
export function progress({ json }: ClientOptions, line: string): void {
	if (!json) console.error(line);
}

/** Versions with their shares, by their numbers. */
export const sharesOf = (shares: Share[], versions: Map<string, number>) =>
	shares.map(({ version, percent }) => `${versions.get(version) ?? version.slice(0, 8)}@${percent}`).join(" ");

/** Something that is not for a command line, where others of the machine could read it. */
export async function fromInput(what: string): Promise<string> {
	if (process.stdin.isTTY) console.error(`type or paste ${what}, then Ctrl-D:`);
	const given = (await text(process.stdin)).replace(/\r?\n$/, "");
	if (given === "") throw new ClientError(`${what} is read from standard input, and there was nothing`, Exit.usage);
	return given;
}
