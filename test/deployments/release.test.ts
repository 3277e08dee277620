import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NO_ENVIRONMENT } from "../../src/deployments/environment.ts";
import { Release } from "../../src/deployments/release.ts";
import { Version, type VersionSource } from "../../src/deployments/version.ts";
import { resolveLimits } from "../../src/limits/limits.ts";

function version(key: string, name = "shop", cpuMs = 100): Version {
	const none = () => Promise.reject(new Error("nothing is run here"));
	const tryStart = () => Promise.resolve({ failure: null, handlers: ["fetch"], startUs: 0 });
	const source: VersionSource = { key, artifact: none, sourceMap: none, tryStart };
	return new Version({ tenant: "default", name }, resolveLimits({ cpuMs }), source);
}

/** A release of as many versions as there are percentages. */
const release = (...percents: number[]) =>
	Release.of(
		NO_ENVIRONMENT,
		percents.map((percent, i) => ({ version: version(`key ${i}`), percent })),
	);

/** The same numbers from 0 to 1 in every run: https://en.wikipedia.org/wiki/Lehmer_random_number_generator. */
function* generator(seed: number): Generator<number, never> {
	for (let state = seed; ; ) {
		state = (state * 48_271) % 0x7fffffff;
		yield state / 0x7fffffff;
	}
}

test("of ten thousand picks each version gets its share, to within four standard deviations", async () => {
	for (const percents of [
		[50, 50],
		[90, 9, 1],
		[99.99, 0.01],
		[0, 100],
		[33.33, 33.33, 33.34],
	]) {
		const counts = percents.map(() => 0);
		const one = await release(...percents);
		const points = generator(42);
		for (let i = 0; i < 10_000; i++) counts[one.indexAt(points.next().value)]++;
		for (const [i, percent] of percents.entries()) {
			const share = percent / 100;
			const deviation = Math.sqrt(10_000 * share * (1 - share));
			assert.ok(Math.abs(counts[i] - 10_000 * share) <= 4 * deviation, `${percents}: ${counts}`);
		}
	}
});

test("points in order go to shares in order, and of evenly spaced ones each share gets exactly its own", async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 10_000 }), { maxLength: 9 }), async (cuts) => {
			const ends = [0, ...cuts.toSorted((a, b) => a - b), 10_000];
			const hundredths = ends.slice(1).map((end, i) => end - ends[i]);
			const one = await release(...hundredths.map((share) => share / 100));
			const counts = hundredths.map(() => 0);
			// In the middle of each hundredth of a percent.
			for (let i = 0; i < 10_000; i++) counts[one.indexAt((i + 0.5) / 10_000)]++;
			assert.deepEqual(counts, hundredths);
		}),
		{ numRuns: 20 },
	);
});

test("shares that do not add up, or make no sense, are refused", async () => {
	for (const [percents, why] of [
		[[], /there is no version in it/],
		[[50, 49.99], /the shares add up to 99\.99 %, not to 100/],
		[[60, 60], /the shares add up to 120 %/],
		[[0], /the shares add up to 0 %/],
		[[150, -50], /150 is not a percentage from 0 to 100/],
		[[-50, 150], /-50 is not a percentage/],
		[[33.333, 66.667], /33\.333 is not a percentage from 0 to 100 in steps of 0\.01/],
		[[Number.NaN, 100], /NaN is not a percentage/],
		[Array(11).fill(0).fill(100, 0, 1), /more than 10 versions/],
	] as [number[], RegExp][])
		await assert.rejects(release(...percents), { name: "UsageError", message: why }, String(percents));
});

test("a release is of one function, and has each version once", async () => {
	const half = (one: Version) => ({ version: one, percent: 50 });
	await assert.rejects(Release.of(NO_ENVIRONMENT, [version("a"), version("a")].map(half)), /is in it twice/);
	await assert.rejects(
		Release.of(NO_ENVIRONMENT, [version("a"), version("b", "cart")].map(half)),
		/not all of one function/,
	);
});

test("a version's id covers its bundle and every limit, and a version cannot be changed", () => {
	const one = version("a");
	assert.equal(version("a").id, one.id);
	assert.notEqual(version("b").id, one.id);
	assert.match(one.id, /^[0-9a-f]{12}$/);
	for (const name of Object.keys(one.limits) as (keyof typeof one.limits)[]) {
		const { source, function: of } = one;
		const other = new Version(of, { ...one.limits, [name]: one.limits[name] + 1 }, source);
		assert.notEqual(other.id, one.id, name);
		const backwards = Object.fromEntries(Object.entries(one.limits).reverse()) as unknown as typeof one.limits;
		assert.equal(new Version(of, backwards, source).id, one.id);
	}
	assert.throws(() => Object.assign(one.limits, { cpuMs: 1 }), TypeError);
});
