import { joinedIn } from "../link/header-list.ts";

/** Whether a request takes what is encoded so: https://www.rfc-editor.org/rfc/rfc9110#name-accept-encoding */
export function accepts(headers: readonly string[], coding: string): boolean {
	for (const given of (joinedIn(headers, "accept-encoding") ?? "").split(",")) {
		const [name, ...parameters] = given.split(";").map((part) => part.trim().toLowerCase());
		if (name !== coding) continue;
		const weight = parameters.find((parameter) => parameter.startsWith("q="));
		return weight === undefined || Number(weight.slice(2)) > 0;
	}
	return false;
}
