/** What is wrong after an attack: the promise's sentences, one word each. */
export type ComplaintKind =
	| "edge-ended"
	| "edge-faulted"
	| "left-behind"
	| "neighbour-failed"
	| "sandbox-lost"
	| "struck-another"
	| "stuck"
	| "grew"
	| "busy"
	| "bad-http"
	| "bad-websocket";

export interface Complaint {
	kind: ComplaintKind;
	text: string;
}

/** A complaint in one line or more. */
export const described = ({ kind, text }: Complaint) => `${kind}: ${text}`;

/** What all complaints of one cause have in common, most of the time: their words, without figures. */
export function causeOf(complaint: Complaint): string {
	const words = described(complaint).replace(/[0-9a-f-]*\d[0-9a-f-]*/g, "#");
	return [...new Set(words.split(/; |\n/).slice(0, 3))].join(" ");
}

/** Whether an edge is to be replaced before it is attacked again: what was said to one client leaves no marks. */
export const leavesMarks = ({ kind }: Complaint) => !["bad-http", "bad-websocket", "sandbox-lost"].includes(kind);
