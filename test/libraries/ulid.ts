import { decodeTime, isValid, monotonicFactory, ulid } from "ulid";

export default {
	fetch(): Response {
		const next = monotonicFactory();
		const ids = Array.from({ length: 100 }, () => next(1_700_000_000_000));
		return Response.json([
			ids.toSorted().join() === ids.join(),
			decodeTime(ids[0]),
			isValid(ulid()),
			ulid(1).slice(0, 10),
		]);
	},
};
