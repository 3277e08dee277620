import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";

/**
 * Why a process ended, from what V8 or Node last wrote about it: one line, for the operator. The rest, such as a
 * native stack, is dropped, since a function decides how often it comes.
 */
export class LastWords {
	#text = "";

	constructor(child: ChildProcess) {
		child.stderr?.setEncoding("utf8").on("data", (text: string) => {
			if (this.#text.length < 4096) this.#text += text;
		});
	}

	/** How the process ended, with its last words where it had any. */
	describe(code: number | null, signal: NodeJS.Signals | null): string {
		signal ??= signalOf(code);
		const how = signal === null ? `exited with code ${code}` : `ended by ${signal}`;
		const line = this.#text
			.split("\n")
			.find((one) => /Fatal|FATAL|Error|error/.test(one) && !/^# Fatal error with/.test(one));
		return line === undefined ? how : `${how}: ${line.replace(/^#\s*/, "").slice(0, 300)}`;
	}
}

/** What bubblewrap ends with when a signal has ended what it started, as a shell does. */
function signalOf(code: number | null): NodeJS.Signals | null {
	const number = (code ?? 0) - 128;
	const [name] = Object.entries(constants.signals).find(([, value]) => value === number) ?? [];
	return (name as NodeJS.Signals | undefined) ?? null;
}
