/** How long it is waited for: well over what anything here takes on a slow machine, and less than a test may take. */
const PATIENCE_MS = 90_000;

/** Resolves once something has come about; looks again in every round of the event loop. Rejects if it never does. */
export async function until(done: () => boolean | Promise<boolean>): Promise<void> {
	const deadline = performance.now() + PATIENCE_MS;
	while (!(await done())) {
		if (performance.now() > deadline) throw new Error(`never came about: ${done}`);
		await new Promise((resolve) => setImmediate(resolve));
	}
}
