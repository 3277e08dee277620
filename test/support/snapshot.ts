import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

const KEPT = resolve("node_modules/.cache/atoll/snapshots");

function snapshots(folder: string): string[] {
	mkdirSync(folder, { recursive: true });
	return readdirSync(folder).filter((name) => name.endsWith(".snapshot"));
}

/**
 * Gives a data folder the base snapshot that an earlier test has made, where there is one: its name says what it was
 * made from, as anywhere else, and to make one anew in every data folder would be a quarter of the tests' time.
 */
export function lendSnapshot(data: string): void {
	const folder = join(data, "artifacts");
	mkdirSync(folder, { recursive: true });
	for (const name of snapshots(KEPT)) copyFileSync(join(KEPT, name), join(folder, name));
}

/** Keeps a data folder's base snapshot for the tests that follow, in the place of those of other preludes. */
export function keepSnapshot(data: string): void {
	const folder = join(data, "artifacts");
	const kept = snapshots(KEPT);
	const [made] = snapshots(folder).filter((name) => !kept.includes(name));
	if (made === undefined) return;
	const beside = join(KEPT, `${process.pid}.tmp`);
	copyFileSync(join(folder, made), beside);
	for (const name of kept) rmSync(join(KEPT, name), { force: true });
	renameSync(beside, join(KEPT, made));
}
