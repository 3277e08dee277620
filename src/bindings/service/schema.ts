import type { Asked } from "../../link/service-head.ts";

/** A call of a service. */
export interface ServiceCall extends Asked {
	/** A request, as `fetch/schema.ts` has it. */
	request: string;
}

/** What is asked, in a line each, then the request. What a deployment has said of the service is left empty. */
export function encodeServiceCall({ entrypoint, props, request }: ServiceCall): string {
	return `${entrypoint}\n${props}\n${request}`;
}

/** The call that a text stands for, or `null` where `encodeServiceCall` never makes such a text. */
export function decodeServiceCall(text: string): ServiceCall | null {
	const props = text.indexOf("\n") + 1;
	const request = text.indexOf("\n", props) + 1;
	if (props === 0 || request === 0) return null;
	return {
		entrypoint: text.slice(0, props - 1),
		props: text.slice(props, request - 1),
		request: text.slice(request),
	};
}
