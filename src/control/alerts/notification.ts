import { randomUUID } from "node:crypto";
import type { EpochMs } from "../../units.ts";
import type { Alert } from "./alert.ts";
import type { Labels } from "./matcher.ts";

/** So many alerts of a group are told; of the others it is told how many there are. */
export const MOST_TOLD = 50;

/** What a receiver is told: how the alerts of a group are. */
export interface Notification {
	/** The same however often it is sent. */
	id: string;
	created: EpochMs;
	/** `firing` as long as one of them does. */
	status: "firing" | "resolved";
	/** The receiver's own name. */
	receiver: string;
	groupLabels: Labels;
	alerts: ToldAlert[];
	/** How many more there are than are told. */
	omitted: number;
	/** Where a person looks further. */
	url: string;
	/** Whether it says nothing that was not told before. */
	isRepeat: boolean;
	/** Whether it only tries out whether it arrives. */
	isTest: boolean;
}

/** As https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md has it. */
export const newId = (): string => `msg_${randomUUID().replaceAll("-", "")}`;

/** An alert as receivers hear of it. */
export type ToldAlert = Pick<
	Alert,
	"id" | "rule" | "labels" | "annotations" | "value" | "threshold" | "severity" | "startsAt" | "endsAt"
> & { status: "firing" | "resolved" };

export function toldOf(alert: Alert): ToldAlert {
	const { id, rule, labels, annotations, value, threshold, severity, startsAt, endsAt, state } = alert;
	const status = state === "resolved" ? "resolved" : "firing";
	return { id, rule, labels, annotations, value, threshold, severity, startsAt, endsAt, status };
}
