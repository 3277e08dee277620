import type { TenantNumber } from "../link/protocol.ts";
import type { Microseconds } from "../units.ts";

/** As many as the threads of libuv's pool. */
const MAX_RUNNING = 4;
/** One runs while the next is on its way; the rest of the pool is for others. */
const MAX_OF_TENANT = 2;

interface Operation {
	/** Resolves when the operation is over, however it ended. */
	run(): Promise<unknown>;
	/** Told what it took of the processor. */
	done(us: Microseconds): void;
}

/**
 * What isolates have computed on other threads than their own: operations of WebCrypto. All isolates of the process
 * share its thread pool, so a tenant has a few operations there at a time and tenants take turns; and what an
 * operation takes is measured, since it is the request's CPU time like any other.
 */
class ThreadPool {
	/** What waits, by tenant; the tenant that comes first is the next. */
	readonly #waiting = new Map<TenantNumber, Operation[]>();
	readonly #running = new Map<Operation, { tenant: TenantNumber; us: Microseconds }>();
	#measuredUs: Microseconds = 0;

	add(tenant: TenantNumber, operation: Operation): void {
		const queue = this.#waiting.get(tenant);
		if (queue === undefined) this.#waiting.set(tenant, [operation]);
		else queue.push(operation);
		this.#next();
	}

	#next(): void {
		while (this.#running.size < MAX_RUNNING) {
			const tenant = this.#mayRun();
			if (tenant === undefined) return;
			const queue = this.#waiting.get(tenant) as Operation[];
			const operation = queue.shift() as Operation;
			this.#waiting.delete(tenant);
			if (queue.length > 0) this.#waiting.set(tenant, queue);
			this.#measure();
			this.#running.set(operation, { tenant, us: 0 });
			// Its beginning is on this thread, before `run` returns.
			const began = process.threadCpuUsage();
			const end = () => this.#end(operation);
			operation.run().then(end, end);
			const { user, system } = process.threadCpuUsage(began);
			this.#charge(operation, user + system);
		}
	}

	#mayRun(): TenantNumber | undefined {
		for (const tenant of this.#waiting.keys()) {
			let running = 0;
			for (const operation of this.#running.values()) if (operation.tenant === tenant) running++;
			if (running < MAX_OF_TENANT) return tenant;
		}
		return undefined;
	}

	#end(operation: Operation): void {
		this.#measure();
		const us = this.#running.get(operation)?.us ?? 0;
		this.#running.delete(operation);
		operation.done(us);
		this.#next();
	}

	#charge(operation: Operation, us: Microseconds): void {
		const running = this.#running.get(operation);
		if (running !== undefined) running.us += us;
	}

	/**
	 * What the process's other threads have used since the last time goes to those that ran meanwhile, in equal
	 * parts.
	 */
	#measure(): void {
		const all = process.cpuUsage();
		const own = process.threadCpuUsage();
		const us = all.user + all.system - own.user - own.system;
		for (const running of this.#running.values()) running.us += (us - this.#measuredUs) / this.#running.size;
		this.#measuredUs = us;
	}
}

/** One for the process, as its threads are. */
export const threadPool = new ThreadPool();
