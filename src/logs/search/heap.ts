/** Something at a place in the log. */
export interface Placed {
	time: number;
	id: number;
}

/** Whether one comes before another: the later is first. */
const isBefore = (a: Placed, b: Placed): boolean => a.time > b.time || (a.time === b.time && a.id > b.id);

/** Gives the latest of what was put in. */
export class Heap<One extends Placed> {
	readonly #all: One[] = [];

	get size(): number {
		return this.#all.length;
	}

	push(one: One): void {
		const all = this.#all;
		let at = all.push(one) - 1;
		while (at > 0) {
			const above = (at - 1) >> 1;
			if (!isBefore(one, all[above])) break;
			all[at] = all[above];
			at = above;
		}
		all[at] = one;
	}

	pop(): One | undefined {
		const all = this.#all;
		const [first] = all;
		const last = all.pop();
		if (last === undefined || all.length === 0) return first;
		let at = 0;
		for (;;) {
			let below = 2 * at + 1;
			if (below >= all.length) break;
			if (below + 1 < all.length && isBefore(all[below + 1], all[below])) below++;
			if (!isBefore(all[below], last)) break;
			all[at] = all[below];
			at = below;
		}
		all[at] = last;
		return first;
	}
}
