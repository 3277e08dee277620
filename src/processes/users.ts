import { randomInt } from "node:crypto";

/** Where systemd's list of what ids are for has none, and no more than 31 bits. */
const FIRST = 1_900_000_000;
const COUNT = 2 ** 27;

/**
 * A user and a group that nobody is: out of so many that no two processes meet. Only root can have a process run as
 * them.
 */
export function unusedUser(): { uid: number; gid: number } {
	const id = FIRST + randomInt(COUNT);
	return { uid: id, gid: id };
}
