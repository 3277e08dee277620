import type { ReceiverSettings } from "../../../config/alert-receivers.ts";
import type { Notification } from "../notification.ts";

/** Where a receiver is, which is a secret of its own for some, and what it knows the sender by. */
export interface ReceiverAddress {
	url: string;
	secret: string | null;
}

/** A receiver by its key, `<tenant>/<name>`; an operator's begins with the slash. */
export interface Receiver extends ReceiverSettings {
	key: string;
	/** `null` for the operator's. */
	owner: string | null;
	name: string;
	/** Whether the server's settings name it, so that it may be anywhere. */
	isConfigured: boolean;
	/** Throws where it cannot be decrypted. */
	address: () => ReceiverAddress;
}

/** A request that tells a receiver of alerts. */
export interface OutgoingRequest {
	url: string;
	headers: Record<string, string>;
	body: string;
}

/** What makes a request of a notification. */
export type Form = (notification: Notification, address: ReceiverAddress, now: number) => OutgoingRequest;
