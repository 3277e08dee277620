import { alertingName, type ReceiverSettings } from "../../config/alert-receivers.ts";
import { ControlError } from "../control-error.ts";
import { checked } from "../json.ts";
import type { Sealer } from "../secrets.ts";
import type { AlertReceiverDocument } from "../store/documents.ts";
import { type Entry, retried, type Sequence, type Store } from "../store/store.ts";
import type { Receiver, ReceiverAddress } from "./receivers/receiver.ts";
import { type Owner, ownKey, whoseOf } from "./rules.ts";

const MOST_RECEIVERS = 20;

/** What a receiver is to be; without a URL or a secret it keeps the one that it has. */
export type GivenReceiver = ReceiverSettings & { url?: string | undefined; secret?: string | undefined };

/** Who is told of alerts, in the store. */
export class Receivers {
	readonly #store: Store;
	readonly #sealer: Sealer;
	readonly #configured: ReadonlySet<string>;
	readonly #refusalOf: (url: URL) => string | null;

	/**
	 * `configured` are the names of those that the server's settings have, which are the operator's; `refusalOf` says why
	 * no other may be at a URL, as far as that is known without looking its name up.
	 */
	constructor(
		store: Store,
		sealer: Sealer,
		{ configured, refusalOf }: { configured: ReadonlySet<string>; refusalOf: (url: URL) => string | null },
	) {
		this.#refusalOf = refusalOf;
		this.#store = store;
		this.#sealer = sealer;
		this.#configured = configured;
	}

	async list(owner: Owner): Promise<AlertReceiverDocument[]> {
		return (await this.#store.list("alertReceiver", { prefix: ownKey(owner, "") })).map(({ value }) => value);
	}

	/** Throws ControlError `not_found`. */
	async find(owner: Owner, name: string): Promise<Entry<"alertReceiver">> {
		const entry = await this.#store.get("alertReceiver", ownKey(owner, name));
		if (entry === null && owner === null && this.#configured.has(name))
			throw new ControlError("invalid", `the receiver ${name} is of the server's settings: change it there`);
		if (entry === null)
			throw new ControlError("not_found", `${whoseOf(owner)} has no receiver ${JSON.stringify(name)}`);
		return entry;
	}

	/** Has there be a receiver, in place of what it may have been. Throws ControlError `invalid`. */
	async put(
		actor: string,
		owner: Owner,
		given: string,
		{ url, secret, ...settings }: GivenReceiver,
	): Promise<Sequence> {
		const name = checked(alertingName, given, "the receiver's name");
		if (owner === null && this.#configured.has(name))
			throw new ControlError("invalid", `the server's settings have a receiver ${name}: change it there`);
		const key = ownKey(owner, name);
		return retried(async () => {
			const entry = await this.#store.get("alertReceiver", key);
			const all = await this.#store.list("alertReceiver", { prefix: ownKey(owner, "") });
			if (entry === null && all.length >= MOST_RECEIVERS)
				throw new ControlError("invalid", `${whoseOf(owner)} may have ${MOST_RECEIVERS} receivers: remove one first`);
			const isSame = entry !== null && entry.value.settings.kind === settings.kind;
			const before = isSame && (url === undefined || secret === undefined) ? this.#addressOf(entry.value) : null;
			const to = url ?? before?.url;
			if (to === undefined) throw new ControlError("invalid", "url: a new receiver needs one");
			const refused = this.#refusalOf(new URL(to));
			if (refused !== null)
				throw new ControlError("invalid", `url: ${refused}, where only receivers of the server's settings may be`);
			// What it was signed with for one place is not told another.
			const kept = before !== null && new URL(before.url).origin === new URL(to).origin ? before.secret : null;
			const address: ReceiverAddress = { url: to, secret: secret ?? kept };
			if (settings.kind === "webhook" && address.secret === null)
				throw new ControlError(
					"invalid",
					"secret: a webhook needs one, with which it is signed (whsec_ and base64; atoll alerts receiver set --secret)",
				);
			const changed = new Date().toISOString();
			const sealed = this.#sealer.seal(JSON.stringify(address), placeOf(key));
			const value: AlertReceiverDocument = {
				...{ tenant: owner, name, settings, address: { sealed, changed }, origin: new URL(to).origin },
				hasSecret: address.secret !== null,
				...{ created: entry?.value.created ?? changed, changed },
			};
			return this.#store.commit({ actor, action: "alert-receiver.set", target: key }, [
				{ kind: "alertReceiver", key, value, expected: entry?.revision ?? 0 },
			]);
		});
	}

	/** Throws ControlError `not_found`. */
	async remove(actor: string, owner: Owner, name: string): Promise<Sequence> {
		return retried(async () => {
			const { key, revision } = await this.find(owner, name);
			return this.#store.commit({ actor, action: "alert-receiver.remove", target: key }, [
				{ kind: "alertReceiver", key, value: null, expected: revision },
			]);
		});
	}

	/** A document as what is told; its address is decrypted when it is needed. */
	opened(document: AlertReceiverDocument): Receiver {
		const { tenant: owner, name, settings } = document;
		const address = () => this.#addressOf(document);
		return { ...settings, key: ownKey(owner, name), owner, name, isConfigured: false, address };
	}

	#addressOf({ tenant, name, address }: AlertReceiverDocument): ReceiverAddress {
		return JSON.parse(this.#sealer.unseal(address.sealed, placeOf(ownKey(tenant, name)))) as ReceiverAddress;
	}
}

const placeOf = (key: string) => `alert-receiver:${key}`;
