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

	/** Writes a line, after those that were written before in the same order. */
	write(line: LogLine, version: ReleasedVersion, order: InOrder): void {
		const concerned = StackMapper.concerns(line.message, version);
		if (!concerned && !order.waiting) {
			this.#observer.log(line);
			return;
		}
		order.tell(concerned ? this.#mapper.map(line.message, version) : null, (mapped) =>
			this.#observer.log(mapped === null ? line : { ...line, message: mapped.text }),
		);
	}
}
