/** The cookie by which a browser is logged in to the dashboard; over TLS it has a prefix. */
export const SESSION_COOKIE = "atoll_session";

const OWN = new RegExp(`^(?:__Host-)?${SESSION_COOKIE}=`);

/**
 * A request's cookies without the dashboard's: browsers send a cookie to every port of a host, and no function is to have
 * this one.
 */
export function withoutSession(cookies: string): string {
	if (!cookies.includes(SESSION_COOKIE)) return cookies;
	const isOther = (cookie: string) => !OWN.test(cookie.trimStart());
	return cookies.split(";").filter(isOther).join(";").trimStart();
}
