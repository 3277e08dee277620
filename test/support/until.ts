/** Resolves once something has come about; looks again in every round of the event loop. */
export async function until(done: () => boolean): Promise<void> {
	while (!done()) await new Promise((resolve) => setImmediate(resolve));
}
