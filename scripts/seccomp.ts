/** Makes the seccomp filters of src/processes/filters/: `node scripts/seccomp.ts`. A test says when they are not up to date. */
import { writeFileSync } from "node:fs";
import { BUNDLER, type Call, DATA, SANDBOX } from "./seccomp-calls.ts";
import { type Architecture, program } from "./seccomp-program.ts";

const ARCHITECTURES = {
	x64: { audit: 0xc000003e, secondInterface: 0x40000000 },
	arm64: { audit: 0xc00000b7, secondInterface: null },
} as const satisfies Record<string, Architecture>;

function filter(architecture: keyof typeof ARCHITECTURES, calls: Record<string, Call>): Uint8Array {
	const allowed = Object.values(calls).flatMap(({ [architecture]: number, when = [] }) =>
		number === null ? [] : [{ number, conditions: when }],
	);
	return program(ARCHITECTURES[architecture], allowed);
}

/** Each filter by the name of its file. */
export const FILTERS: Record<string, Uint8Array> = {
	"sandbox-x64.bpf": filter("x64", SANDBOX),
	"sandbox-arm64.bpf": filter("arm64", SANDBOX),
	"bundler-x64.bpf": filter("x64", BUNDLER),
	"bundler-arm64.bpf": filter("arm64", BUNDLER),
	"data-x64.bpf": filter("x64", DATA),
	"data-arm64.bpf": filter("arm64", DATA),
};

if (import.meta.main)
	for (const [name, bytes] of Object.entries(FILTERS))
		writeFileSync(new URL(`../src/processes/filters/${name}`, import.meta.url), bytes);
