import type { ReleasedVersion } from "../deployments/released-version.ts";
import { StackMapper } from "../helpers/stack-mapper.ts";
import type { InOrder } from "../observe/in-order.ts";
import type { Observer } from "../observe/observer.ts";
import type { LogLine } from "../observe/record.ts";

/** Where the lines of functions go: to the observer, with the stacks in them mapped into their source. */
export class FunctionLog {
	readonly #observer: Observer;
	readonly #mapper: StackMapper;

	constructor(observer: Observer, mapper: StackMapper) {
		this.#observer = observer;
		this.#mapper = mapper;
	}

	/** Writes a line, after those that were written before in the same order; `onTold` gets it as it was written. */
	write(
		line: LogLine,
		version: ReleasedVersion,
		order: InOrder,
		onTold: ((line: LogLine) => void) | null = null,
	): void {
		const tell = (told: LogLine) => {
			this.#observer.log(told);
			onTold?.(told);
		};
		const concerned = StackMapper.concerns(line.message, version);
		if (!concerned && !order.waiting) {
			tell(line);
			return;
		}
		order.tell(concerned ? this.#mapper.map(line.message, version) : null, (mapped) =>
			tell(mapped === null ? line : { ...line, message: mapped.text }),
		);
	}
}
