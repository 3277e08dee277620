import { z } from "zod";
import { isSecret } from "../../feed/redaction.ts";
import type { Outcome } from "../../observe/record.ts";
import type { TailedInvocation } from "./tail-session.ts";

const headerFilter = z.looseObject({
	key: z
		.string()
		.regex(/^[!#$%&'*+.^_`|~\w-]{1,256}$/, "must be a header's name, as x-user")
		.transform((name) => name.toLowerCase()),
	query: z.string().max(1000).optional(),
});

/** What a tail is to show, as Cloudflare's API says it; all that a filter says must be so. */
export const tailFilter = z
	.looseObject({
		sampling_rate: z.number().optional(),
		outcome: z.array(z.string()).max(100).optional(),
		method: z.array(z.string()).max(100).optional(),
		query: z.string().max(1000).optional(),
		scriptVersion: z.string().optional(),
		header: headerFilter.optional(),
		client_ip: z.array(z.string().max(100)).max(100).optional(),
	})
	.refine(({ header }) => header?.query === undefined || !isSecret(header.key), {
		path: ["header"],
		message: "its values are not shown, since they may be secrets: filter by its name alone",
	});
export type TailFilter = z.output<typeof tailFilter>;

/** As workers' own tools have it: https://developers.cloudflare.com/workers/observability/logs/tail-workers/ */
const OUTCOMES: Partial<Record<Outcome, string>> = {
	ok: "ok",
	client_gone: "canceled",
	exception: "exception",
	invalid_response: "exception",
	cpu_limit_exceeded: "exceededCpu",
	startup_cpu_limit_exceeded: "exceededCpu",
	memory_limit_exceeded: "exceededMemory",
};
export const outcomeOf = ({ record: { outcome } }: TailedInvocation) => OUTCOMES[outcome] ?? "unknown";

/** All outcomes but those of what ended well, or by its client. */
export const FAILED = ["exception", "exceededCpu", "exceededMemory", "unknown"];

/** Whether an invocation is one that all filters let through. */
export function passes(filters: readonly TailFilter[], one: TailedInvocation): boolean {
	return filters.every(
		({ sampling_rate: rate, outcome, method, query, scriptVersion, header, client_ip: addresses }) => {
			const { record, lines, request } = one;
			if (rate !== undefined && Math.random() >= rate) return false;
			if (outcome !== undefined && !outcome.includes(outcomeOf(one)) && !outcome.includes(record.outcome)) return false;
			if (method !== undefined && !method.includes(record.method)) return false;
			if (scriptVersion !== undefined && record.version !== scriptVersion) return false;
			if (addresses !== undefined && !addresses.includes(request?.client?.ip ?? "")) return false;
			if (header !== undefined) {
				const { headers = {} } = request ?? {};
				if (!Object.hasOwn(headers, header.key)) return false;
				if (header.query !== undefined && !headers[header.key].includes(header.query)) return false;
			}
			return query === undefined || lines.some(({ message }) => message.includes(query));
		},
	);
}
