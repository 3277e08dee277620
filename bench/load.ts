import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Load {
	requestsPerSecond: number;
	p50Us: number;
	p99Us: number;
	/** Responses that were no 2xx or 3xx, and broken connections. */
	errors: number;
}

/** Spreads requests over hostnames at random, and prints figures that need no parsing of units. */
const SCRIPT = `
local hosts = {}
init = function(args)
	local n = tonumber(args[1])
	math.randomseed(42)
	local size = tonumber(args[4])
	local method, body = "GET", nil
	if size > 0 then method, body = "POST", string.rep("b", size) end
	for i = 0, n - 1 do hosts[i + 1] = wrk.format(method, args[2], { ["Host"] = args[3] .. i .. ".localhost" }, body) end
end
request = function() return hosts[math.random(#hosts)] end
done = function(summary, latency)
	local e = summary.errors
	io.write(string.format("RESULT %f %f %f %d\\n", summary.requests / (summary.duration / 1e6), latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
`;

/**
 * Loads a server with wrk (https://github.com/wg/wrk), one thread, for some seconds: `<host>0.localhost`,
 * `<host>1.localhost` … With a `body` of so many bytes it sends that.
 */
export async function load(
	port: number,
	options: { connections: number; seconds: number; hosts?: number; host?: string; path?: string; body?: number },
): Promise<Load> {
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-"));
	const script = join(folder, "wrk.lua");
	writeFileSync(script, SCRIPT);
	try {
		const { connections, seconds, hosts = 1, host = "f", path = "/", body = 0 } = options;
		const { stdout } = await run("wrk", [
			"-t1",
			`-c${connections}`,
			`-d${seconds}s`,
			"-s",
			script,
			`http://127.0.0.1:${port}`,
			"--",
			String(hosts),
			path,
			host,
			String(body),
		]);
		const [, requestsPerSecond, p50Us, p99Us, errors] = (
			/RESULT (\S+) (\S+) (\S+) (\S+)/.exec(stdout) as RegExpExecArray
		).map(Number);
		return { requestsPerSecond, p50Us, p99Us, errors };
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT")
			throw new Error("the benches of HTTP need wrk: apt-get install wrk");
		throw error;
	} finally {
		rmSync(folder, { recursive: true });
	}
}

export function median(values: number[]): number {
	return values.toSorted((a, b) => a - b)[values.length >> 1];
}
