import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { checkMount, type MountOptions } from "../config/mount.ts";
import type { Deployments } from "../deployments/deployments.ts";
import type { Account } from "../limits/account.ts";
import type { Guard } from "../observe/guard.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { Delivery } from "./delivery.ts";
import type { Exchange } from "./exchange.ts";
import { EVERYWHERE, type Mount } from "./mount.ts";
import { type Bounds, continueHandler, type Dispatch, type Next, nodeHandler } from "./node-handler.ts";
import { upgradeHandler } from "./upgrade.ts";
import { WebSockets } from "./web-sockets.ts";

/** Answers requests of `node:http`, or makes what answers some of them. */
export interface NodeHandler {
	(req: IncomingMessage, res: ServerResponse, next?: Next | null): void;
	(options: MountOptions): (req: IncomingMessage, res: ServerResponse, next?: Next | null) => void;
}

/** Answers upgrades of `node:http`, or makes what answers some of them. */
export interface UpgradeHandler {
	(req: IncomingMessage, socket: Duplex, head: Buffer): void;
	(options: MountOptions): (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** What listeners are made of. */
interface ListenersParts {
	dispatch: Dispatch;
	guard: Guard;
	deployments: Deployments;
	/** How large the body of a request may be that is for no function. */
	requestBodyBytes: Bytes;
	/** What holds requests until it is known which function they are for. */
	unfinished: Account;
	/** How long a client may take nothing of a response. */
	stalledMs: Milliseconds;
}

/** A runtime's listeners for `node:http`, each for everything, or for what its options say. */
export class Listeners {
	readonly #dispatch: Dispatch;
	readonly #guard: Guard;
	readonly #bounds: Bounds;
	readonly #delivery: Delivery;
	readonly #webSockets: WebSockets;
	readonly onRequest: NodeHandler;
	readonly onContinue: NodeHandler;
	readonly onUpgrade: UpgradeHandler;

	constructor({ dispatch, guard, deployments, requestBodyBytes, unfinished, stalledMs }: ListenersParts) {
		this.#dispatch = dispatch;
		this.#guard = guard;
		this.#delivery = new Delivery(stalledMs);
		this.#bounds = {
			serves: (exchange: Exchange) => deployments.find(exchange) !== undefined,
			maxBody: (exchange: Exchange) => deployments.find(exchange)?.requestBodyBytes ?? requestBodyBytes,
			account: (exchange: Exchange) => deployments.find(exchange)?.account ?? unfinished,
			delivery: this.#delivery,
		};
		this.#webSockets = new WebSockets(guard, this.#delivery);
		const request = nodeHandler(this.#settings(EVERYWHERE));
		this.onRequest = ((req: IncomingMessage | MountOptions, res?: ServerResponse, next?: Next | null) =>
			res === undefined
				? nodeHandler(this.#settings(checkMount(req, "nodeHandler")))
				: request(req as IncomingMessage, res, next)) as NodeHandler;
		const ask = continueHandler(this.#settings(EVERYWHERE));
		this.onContinue = ((req: IncomingMessage | MountOptions, res?: ServerResponse) =>
			res === undefined
				? continueHandler(this.#settings(checkMount(req, "continueHandler")))
				: ask(req as IncomingMessage, res)) as NodeHandler;
		const upgrade = this.#upgradesAt(EVERYWHERE);
		this.onUpgrade = ((req: IncomingMessage | MountOptions, socket?: Duplex, head?: Buffer) =>
			socket === undefined
				? this.#upgradesAt(checkMount(req, "upgradeHandler"))
				: upgrade(req as IncomingMessage, socket, head as Buffer)) as UpgradeHandler;
	}

	#settings(mount: Mount) {
		return { dispatch: this.#dispatch, guard: this.#guard, bounds: this.#bounds, mount };
	}

	#upgradesAt(mount: Mount) {
		const settings = this.#settings(mount);
		return upgradeHandler(settings, nodeHandler(settings), this.#webSockets);
	}

	/** Resolves when all clients have what they were sent, or so much later. */
	delivered(timeout: Milliseconds): Promise<void> {
		return this.#delivery.over(timeout);
	}

	/** Tells the clients of all WebSockets that the server goes away. */
	closeWebSockets(): void {
		this.#webSockets.close();
	}
}
