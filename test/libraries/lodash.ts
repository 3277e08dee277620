import {
	camelCase,
	chain,
	chunk,
	cloneDeep,
	debounce,
	get,
	groupBy,
	isEqual,
	memoize,
	merge,
	orderBy,
	set,
	template,
	throttle,
	uniqBy,
	zipObjectDeep,
} from "lodash-es";

export default {
	async fetch(): Promise<Response> {
		let calls = 0;
		const debounced = debounce(() => calls++, 2);
		const throttled = throttle(() => calls++, 2);
		for (let i = 0; i < 5; i++) {
			debounced();
			throttled();
		}
		await new Promise((resolve) => setTimeout(resolve, 20));
		const deep = { a: [{ b: new Map([[1, new Date(0)]]) }], r: /x/g };
		return Response.json([
			calls > 1,
			chunk([1, 2, 3, 4, 5], 2),
			isEqual(cloneDeep(deep), deep),
			get(deep, "a[0].b").size,
			set({}, "x.y[1]", 2),
			groupBy([1.2, 1.8, 2.1], Math.floor),
			merge({ a: { b: 1 } }, { a: { c: [1] } }),
			orderBy([{ n: 2 }, { n: 1 }], "n"),
			uniqBy([{ x: 1 }, { x: 1 }], "x"),
			camelCase("foo bar-baz"),
			zipObjectDeep(["a.b"], [1]),
			template("hi <%= name %><% if (ok) { %>!<% } %>")({ name: "x", ok: true }),
			memoize((n: number) => n * 2)(4),
			typeof chain,
		]);
	},
};
