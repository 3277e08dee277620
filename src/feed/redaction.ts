/** What stands in the place of a header's value that nobody is to read. */
export const REDACTED = "REDACTED";

/** As Cloudflare has it: https://developers.cloudflare.com/workers/runtime-apis/handlers/tail/#tailrequest */
const SECRET = /^(?:set-)?cookie$|auth|key|secret|token|jwt/i;

/** Whether a header, by its name, tells who somebody is, or lets one in. */
export function isSecret(header: string): boolean {
	return SECRET.test(header);
}
