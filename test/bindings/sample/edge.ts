import { z } from "zod";
import type { Answer, Caller, Content, EdgeBinding, OpenBinding } from "../../../src/bindings/binding.ts";
import { decodeAsked } from "./schema.ts";

const settings = z.strictObject({ greeting: z.string(), shouts: z.boolean().default(true) });
type Settings = z.infer<typeof settings>;

/** What has happened to calls and to requests, for the test. */
export const seen: string[] = [];

/** A binding that says back what it is told, and to whom it says so. */
class Sample implements EdgeBinding<Settings> {
	readonly settings = settings;

	open({ greeting, shouts }: Settings, caller: Caller): OpenBinding {
		seen.push(`open for ${caller.function.tenant}/${caller.function.name}`);
		return {
			prepare(argument) {
				const asked = decodeAsked(argument);
				if (asked === null) return null;
				if (asked.what === "shout" && !shouts) return "it does not shout";
				const perform = async (content: Content, signal: AbortSignal): Promise<Answer> => {
					if (asked.what === "wait")
						await new Promise((_, reject) => {
							seen.push("waits");
							signal.addEventListener("abort", () => {
								seen.push("aborted");
								reject(signal.reason as Error);
							});
						});
					const said = asked.what === "shout" ? asked.text.toUpperCase() : asked.text;
					return { text: `${greeting}, ${caller.function.name}: ${said}`, content };
				};
				return { target: "the sample", perform };
			},
			close: () => void seen.push("close"),
		};
	}

	async close(): Promise<void> {
		seen.push("end");
	}
}

export const create = (): EdgeBinding<Settings> => new Sample();
