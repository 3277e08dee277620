import { spawnSync } from "node:child_process";

export const SETPRIV = "/usr/bin/setpriv";

let works: boolean | null = null;

/**
 * What stands before a command so that its process, if it was stopped, goes on when the one that has started it ends.
 * Nothing where the tool for it is missing.
 */
export function wokenByParentDeath(): string[] {
	const option = "--pdeathsig=CONT";
	works ??= spawnSync(SETPRIV, [option, SETPRIV, "--version"], { env: {}, stdio: "ignore" }).status === 0;
	return works ? [SETPRIV, option] : [];
}
