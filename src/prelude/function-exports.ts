let all: Record<string, unknown> = {};

/** Takes what the function's module exports. */
export function setExports(exports: Record<string, unknown>): void {
	all = exports;
}

/** What it exports under a name, if anything. */
export function exported(name: string): unknown {
	return Object.hasOwn(all, name) ? all[name] : undefined;
}

export function exportedNames(): string[] {
	return Object.keys(all);
}
