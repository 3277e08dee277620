/**
 * The hostname that a route such as `example.com/*` takes, or what is wrong with it: a function has all paths of its
 * hostnames.
 */
export function hostnameOfRoute(pattern: string): { hostname: string } | { problem: string } {
	const [host, ...path] = pattern.replace(/^https?:\/\//, "").split("/");
	const rest = path.join("/");
	if (rest !== "" && rest !== "*")
		return {
			problem: `the route ${pattern} has a path, /${rest}: a function has all paths of its hostnames; end it with /*`,
		};
	// `*example.com` is the name and all that lie under it; a wildcard here is of names under it alone.
	return { hostname: /^\*[^.]/.test(host) ? `*.${host.slice(1)}` : host };
}
