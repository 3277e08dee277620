/** How many rounds of `Math.imul` keep a processor busy for so long, as this process measures it. */
export function roundsFor(ms: number): number {
	work(10_000_000); // Until it is compiled.
	for (let rounds = 1_000_000; ; rounds *= 2) {
		const tookMs = Math.min(...Array.from({ length: 5 }, () => cpuMs(rounds)));
		if (tookMs >= ms) return Math.round((rounds * ms) / tookMs);
	}
}

function cpuMs(rounds: number): number {
	const before = process.threadCpuUsage();
	work(rounds);
	const { user, system } = process.threadCpuUsage(before);
	return (user + system) / 1000;
}

function work(rounds: number): number {
	let x = 1;
	for (let i = 0; i < rounds; i++) x = Math.imul(x, 1103515245) + 12345;
	return x;
}

/** The source of `work`, for a function. */
export const WORK = work.toString();
