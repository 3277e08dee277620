import type { Event, EventTarget } from "./event.ts";

const handlers = new WeakMap<EventTarget, Map<string, { handler: unknown; listener: (event: Event) => void }>>();

/** Defines an event handler attribute such as `onabort`: https://html.spec.whatwg.org/#event-handler-idl-attributes */
export function defineEventHandler(prototype: object, type: string): void {
	Object.defineProperty(prototype, `on${type}`, {
		configurable: true,
		enumerable: true,
		get(this: EventTarget) {
			return handlers.get(this)?.get(type)?.handler ?? null;
		},
		set(this: EventTarget, value: unknown) {
			let own = handlers.get(this);
			if (own === undefined) {
				own = new Map();
				handlers.set(this, own);
			}
			const handler = typeof value === "function" || (typeof value === "object" && value !== null) ? value : null;
			const existing = own.get(type);
			if (existing !== undefined) {
				if (handler === null) {
					own.delete(type);
					this.removeEventListener(type, existing.listener);
				} else existing.handler = handler;
				return;
			}
			if (handler === null) return;
			const entry = {
				handler: handler as unknown,
				listener: (event: Event) => {
					if (typeof entry.handler === "function" && entry.handler.call(event.currentTarget, event) === false)
						event.preventDefault();
				},
			};
			own.set(type, entry);
			this.addEventListener(type, entry.listener);
		},
	});
}
