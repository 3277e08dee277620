import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";

/** Makes a folder on a small disk of its own; returns whether this user can have one. `noMoreDisk` gives it back. */
export function smallDisk(folder: string, size: string): boolean {
	mkdirSync(folder, { recursive: true });
	try {
		execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=700`, "none", folder], { stdio: "ignore" });
		return true;
	} catch {
		return false;
	}
}

export function noMoreDisk(folder: string): void {
	execFileSync("umount", [folder]);
}
