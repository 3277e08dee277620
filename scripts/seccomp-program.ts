/** An assembler for the programs of classic BPF by which Linux filters system calls (seccomp(2)). */

/** What a call's arguments have to be, beyond its name. Arguments count from 0; all conditions of a call must hold. */
export type Condition =
	| { arg: number; oneOf: number[] }
	| { arg: number; not: number }
	/** Of the argument's lower half these bits, and no others of the mask, are set. */
	| { arg: number; mask: number; bits: number }
	/** All 64 bits are looked at. */
	| { arg: number; atMost: number };

export interface AllowedCall {
	/** Its number, which is another one for each architecture. */
	number: number;
	conditions: Condition[];
}

export interface Architecture {
	/** AUDIT_ARCH_…, of linux/audit.h. */
	audit: number;
	/** From this bit on numbers are of a second interface, which is not to be had (x32). */
	secondInterface: number | null;
}

// linux/bpf_common.h, linux/seccomp.h
const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_GREATER_EQUAL = 0x35;
const AND = 0x54;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const ERRNO = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;

// struct seccomp_data
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const lowerHalfAt = (arg: number) => 16 + 8 * arg;
const upperHalfAt = (arg: number) => lowerHalfAt(arg) + 4;

/** A jump goes over so many instructions; `fail` stands for "to the end of this call's part". */
type Jump = number | "fail";
type Instruction = [code: number, k: number, whenTrue?: Jump, whenFalse?: Jump];

function check(condition: Condition): Instruction[] {
	const load: Instruction = [LOAD_WORD, lowerHalfAt(condition.arg)];
	if ("oneOf" in condition) {
		const { oneOf } = condition;
		return [
			load,
			...oneOf.map((value, at): Instruction => {
				const left = oneOf.length - 1 - at;
				return [JUMP_EQUAL, value, left, left === 0 ? "fail" : 0];
			}),
		];
	}
	if ("not" in condition) return [load, [JUMP_EQUAL, condition.not, "fail", 0]];
	if ("mask" in condition) return [load, [AND, condition.mask], [JUMP_EQUAL, condition.bits, 0, "fail"]];
	return [
		[LOAD_WORD, upperHalfAt(condition.arg)],
		[JUMP_EQUAL, 0, 0, "fail"],
		load,
		[JUMP_GREATER, condition.atMost, "fail", 0],
	];
}

/** What is done about one call; every way through it ends in an answer. */
function part({ number, conditions }: AllowedCall): Instruction[] {
	const checks = conditions.flatMap(check);
	const body: Instruction[] = [...checks, [RETURN, ALLOW]];
	if (conditions.length > 0) body.push([RETURN, ERRNO | EPERM]);
	const resolved = body.map(([code, k, whenTrue = 0, whenFalse = 0], at): Instruction => {
		const distance = (jump: Jump) => (jump === "fail" ? body.length - 2 - at : jump);
		return [code, k, distance(whenTrue), distance(whenFalse)];
	});
	return [[JUMP_EQUAL, number, 0, body.length], ...resolved];
}

/**
 * The program: an array of `struct sock_filter`. What is called by another architecture's numbers ends the process, since no
 * honest library does it; a call whose arguments are not allowed fails with EPERM, and one that is not in the list with ENOSYS,
 * as on a Linux without it: libraries have a way around a call that is missing, and a newer Node, V8 or libc that tries one does
 * not cost everybody in the sandbox their process.
 */
export function program({ audit, secondInterface }: Architecture, calls: AllowedCall[]): Uint8Array {
	const instructions: Instruction[] = [
		[LOAD_WORD, ARCHITECTURE_AT],
		[JUMP_EQUAL, audit, 1, 0],
		[RETURN, KILL_PROCESS],
		[LOAD_WORD, NUMBER_AT],
	];
	if (secondInterface !== null) instructions.push([JUMP_GREATER_EQUAL, secondInterface, 0, 1], [RETURN, KILL_PROCESS]);
	instructions.push(...calls.flatMap(part), [RETURN, ERRNO | ENOSYS]);
	const bytes = Buffer.alloc(instructions.length * 8);
	instructions.forEach(([code, k, whenTrue = 0, whenFalse = 0], at) => {
		bytes.writeUInt16LE(code, at * 8);
		bytes.writeUInt8(whenTrue as number, at * 8 + 2);
		bytes.writeUInt8(whenFalse as number, at * 8 + 3);
		bytes.writeUInt32LE(k, at * 8 + 4);
	});
	return bytes;
}
