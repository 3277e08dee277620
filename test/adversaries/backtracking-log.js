/** Logs lines that look like frames of a stack to a pattern that backtracks, with its own script's name in them. */
const script = /([^\s(/]+\.js):/.exec(new Error().stack)?.[1] ?? "backtracking-log.js";
const lines = [
	`    at ${"x(".repeat(6000)} ${script}:1:1x`,
	`    at ${`${script}:1:1 `.repeat(400)}x`,
	`${" at ".repeat(4000)}${script}:1`,
];

export default {
	async fetch() {
		for (let i = 0; i < 5; i++) for (const line of lines) console.log(line);
		return new Response("logged");
	},
};
