/** The requests that functions make to other functions, from one event that came from outside. */
export interface Chain {
	/** How many functions deep in one another's subrequests this one is. */
	depth: number;
	/** All that the event from outside has led to so far. */
	readonly total: { invocations: number };
}

export function newChain(): Chain {
	return { depth: 0, total: { invocations: 1 } };
}
