export default {
	fetch() {
		const kept = [];
		for (;;) kept.push({ a: kept.length });
	},
};
