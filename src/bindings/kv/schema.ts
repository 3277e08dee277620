/** What a namespace is asked for. */
export type KvAsked =
	| { op: "get"; keys: string[] }
	| {
			op: "put";
			key: string;
			/** JSON; `null` for none. */
			metadata: string | null;
			/** When it expires, in seconds since 1970, or in how many seconds; `null` where nothing was said. */
			expiration: number | null;
			expirationTtl: number | null;
	  }
	| { op: "delete"; key: string }
	| { op: "list"; prefix: string; cursor: string; limit: number };

/** What is told of each value that was asked for, in their order; the values themselves come one behind the other. */
export type KvTold = ({ size: number; metadata: string | null } | null)[];

/** What is told of keys. */
export interface KvKeys {
	keys: { key: string; expires: number | null; metadata: string | null }[];
	/** Where the next ones begin; `null` where there are none. */
	cursor: string | null;
}

/** A text as JSON, which asks nothing that a function could have changed. */
const quote = (text: string): string => JSON.stringify(text);

/** As JSON, which asks no object how it wants to be written. */
export function encodeKvAsked(asked: KvAsked): string {
	switch (asked.op) {
		case "get": {
			let keys = "";
			for (let i = 0; i < asked.keys.length; i++) keys += i === 0 ? quote(asked.keys[i]) : `,${quote(asked.keys[i])}`;
			return `{"op":"get","keys":[${keys}]}`;
		}
		case "put": {
			const { key, metadata, expiration, expirationTtl } = asked;
			const times = `"expiration":${expiration},"expirationTtl":${expirationTtl}`;
			return `{"op":"put","key":${quote(key)},"metadata":${metadata === null ? null : quote(metadata)},${times}}`;
		}
		case "delete":
			return `{"op":"delete","key":${quote(asked.key)}}`;
		case "list": {
			const { prefix, cursor, limit } = asked;
			return `{"op":"list","prefix":${quote(prefix)},"cursor":${quote(cursor)},"limit":${limit}}`;
		}
	}
}
