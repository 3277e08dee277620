import { encodeList, isFieldsFrom } from "../../link/heads.ts";

/** A request for `fetch`, as its isolate has it. */
export interface FetchHead {
	method: string;
	redirect: "follow" | "error" | "manual";
	url: string;
	/** Name, value, name, value, …; names in lower case. */
	headers: string[];
}

/** A response for whoever has called `fetch`; its body comes beside it. */
export interface FetchedHead {
	/** 0 stands for a redirect that was not followed, of which the function learns nothing. */
	status: number;
	statusText: string;
	headers: string[];
	/** After redirects. */
	url: string;
	redirected: boolean;
}

/** Method, what is to become of redirects, URL, then the headers: lines, as `link/heads.ts` has them. */
export function encodeFetchHead({ method, redirect, url, headers }: FetchHead): string {
	return `${method}\n${redirect}\n${url}${encodeList(headers)}`;
}

const FETCH = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+\n(?:follow|error|manual)\n/y;

/** The request that a text stands for, or `null` where `encodeFetchHead` never makes such a text. */
export function decodeFetchHead(text: string): FetchHead | null {
	FETCH.lastIndex = 0;
	if (!FETCH.test(text) || !isFieldsFrom(text, FETCH.lastIndex)) return null;
	const [method, redirect, url, ...headers] = text.split("\n");
	return { method, redirect: redirect as FetchHead["redirect"], url, headers };
}
