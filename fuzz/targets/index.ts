import type { Target } from "../target.ts";
import { http } from "./http.ts";
import { link } from "./link.ts";
import { prelude } from "./prelude.ts";
import { upstream } from "./upstream.ts";
import { webSocket } from "./web-socket.ts";

/** All sides from which hostile things reach the edge. */
export const TARGETS = [http, webSocket, upstream, prelude, link] as unknown as Target<unknown>[];

/** The target of a name. */
export function targetOf(name: string): Target<unknown> {
	const target = TARGETS.find((one) => one.name === name);
	if (target === undefined) throw new Error(`there is no target ${name}`);
	return target;
}
