const scope = globalThis as { gc?: (minor: boolean) => void };

/** V8's own; there is none where V8 was not told to show it. */
let collect: ((minor: boolean) => void) | undefined;

/**
 * Takes V8's collector out of the function's reach. It is in each isolate anew, so this is done when one is parked. Its
 * name cannot be deleted, and stands for nothing from then on.
 */
export function takeCollector(): void {
	collect = scope.gc;
	if (collect !== undefined) scope.gc = undefined;
}

/** Collects what is young. No code of the function runs meanwhile: it hears only of what a full collection frees. */
export function collectYoung(): void {
	if (collect !== undefined) collect(true);
}
