/** Keeps a processor busy for so many rounds. */
export function work(rounds: number): number {
	let x = 1;
	for (let i = 0; i < rounds; i++) x = Math.imul(x, 1103515245) + 12345;
	return x;
}
