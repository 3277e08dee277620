/** Messages for a queue, whose bodies come beside this, one behind the other. */
export interface QueueAsked {
	messages: {
		type: "json" | "text" | "bytes";
		size: number;
		/** In how many seconds it is to be delivered at the earliest; `null` where nothing was said. */
		delaySeconds: number | null;
	}[];
}

/** As JSON, which asks no object how it wants to be written. */
export function encodeQueueAsked({ messages }: QueueAsked): string {
	let all = "";
	for (let i = 0; i < messages.length; i++) {
		const { type, size, delaySeconds } = messages[i];
		all += `${i === 0 ? "" : ","}{"type":"${type}","size":${size},"delaySeconds":${delaySeconds}}`;
	}
	return `{"messages":[${all}]}`;
}
