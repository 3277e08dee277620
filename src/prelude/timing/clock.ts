import { host } from "../host.ts";

/**
 * The time stands still while a turn runs: `Date` and `performance` tell when the turn began. A clock that moves
 * while code runs is what a Spectre attack times its guesses with; this is also how Workers behave. The sandbox may
 * say otherwise.
 */
export function installClock(): void {
	const scope = globalThis as unknown as Record<string, unknown>;
	const OriginalDate = Date;
	const now = () => (host === undefined ? OriginalDate.now() : Math.floor(host.now()));
	const construct = Reflect.construct;
	const FrozenDate: DateConstructor = new Proxy(OriginalDate, {
		apply: () => new OriginalDate(now()).toString(),
		construct: (target, args, newTarget) =>
			construct(target, args.length === 0 ? [now()] : args, newTarget === FrozenDate ? target : newTarget) as object,
	});
	Object.defineProperty(OriginalDate, "now", {
		value: function now_() {
			return now();
		},
		writable: true,
		configurable: true,
	});
	Object.defineProperty(OriginalDate.now, "name", { value: "now" });
	Object.defineProperty(OriginalDate.prototype, "constructor", {
		value: FrozenDate,
		writable: true,
		configurable: true,
	});
	Object.defineProperty(scope, "Date", { value: FrozenDate, writable: true, configurable: true });
}

/**
 * Temporal's clocks, told to stand still as well. V8 adds Temporal to every isolate that it makes from a snapshot,
 * and makes it (0.1 ms, 170 KB) when it is first touched: so a function whose script never names it goes without.
 */
export function installTemporal(named: boolean): void {
	const scope = globalThis as { Temporal?: Temporal };
	if (!named) {
		Reflect.deleteProperty(scope, "Temporal");
		return;
	}
	if (scope.Temporal === undefined) return;
	const { Now, Instant } = scope.Temporal;
	const now = () => Math.floor(host.now());
	const zone = (given: unknown) => (given === undefined ? "UTC" : given);
	const zoned = (given: unknown) => Instant.fromEpochMilliseconds(now()).toZonedDateTimeISO(zone(given));
	const methods: Record<string, (zoneName?: unknown) => unknown> = {
		instant: () => Instant.fromEpochMilliseconds(now()),
		timeZoneId: () => "UTC",
		zonedDateTimeISO: (given) => zoned(given),
		plainDateTimeISO: (given) => zoned(given).toPlainDateTime(),
		plainDateISO: (given) => zoned(given).toPlainDate(),
		plainTimeISO: (given) => zoned(given).toPlainTime(),
	};
	for (const name of Object.keys(methods))
		Object.defineProperty(Now, name, { value: methods[name], writable: true, configurable: true });
}

/**
 * Intl's clock, told to stand still as well. It is not there while the snapshot is made, so this runs when an isolate
 * is parked.
 */
export function installIntlClock(): void {
	if (typeof Intl === "undefined") return;
	const now = () => Math.floor(host.now());
	const { prototype } = Intl.DateTimeFormat;
	const format = Object.getOwnPropertyDescriptor(prototype, "format")?.get as (
		this: unknown,
	) => (date?: unknown) => string;
	const { apply } = Reflect;
	Object.defineProperty(prototype, "format", {
		configurable: true,
		get(this: unknown) {
			const bound = apply(format, this, []);
			return (date?: unknown) => bound(date === undefined ? now() : date);
		},
	});
	const { formatToParts } = prototype;
	Object.defineProperty(prototype, "formatToParts", {
		configurable: true,
		writable: true,
		value(this: unknown, date?: unknown) {
			return apply(formatToParts, this, [date === undefined ? now() : date]);
		},
	});
}

interface Temporal {
	Now: Record<string, unknown>;
	Instant: { fromEpochMilliseconds(ms: number): Zoned };
}

interface Zoned {
	toZonedDateTimeISO(zone: unknown): { toPlainDateTime(): unknown; toPlainDate(): unknown; toPlainTime(): unknown };
}

/** WebAssembly's shared memory would be a clock as fine as an attack needs, made by a thread that only counts. */
export function refuseSharedMemory(): void {
	const wasm = (globalThis as { WebAssembly?: { Memory: new (descriptor: unknown) => object } }).WebAssembly;
	if (wasm === undefined) return;
	const Original = wasm.Memory;
	const { construct } = Reflect;
	const Memory: typeof Original = new Proxy(Original, {
		construct(target, [descriptor], newTarget): object {
			if (typeof descriptor === "object" && descriptor !== null) {
				// Read once: a getter could answer otherwise the second time.
				const { initial, minimum, maximum, shared, address, index } = descriptor as Record<string, unknown>;
				if (shared) throw new TypeError("WebAssembly.Memory: shared memory is not available");
				const plain: Record<string, unknown> = {};
				for (const [name, value] of Object.entries({ initial, minimum, maximum, address, index }))
					if (value !== undefined) plain[name] = value;
				return construct(target, [plain], newTarget === Memory ? target : newTarget) as object;
			}
			return construct(target, [descriptor], newTarget === Memory ? target : newTarget) as object;
		},
	});
	Object.defineProperty(Original.prototype, "constructor", { value: Memory, writable: true, configurable: true });
	Object.defineProperty(wasm, "Memory", { value: Memory, writable: true, configurable: true });
}
