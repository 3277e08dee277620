import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { Malformed, type Received, type Scheme } from "../../src/sources/scheme.ts";
import { cloudevents } from "../../src/sources/schemes/cloudevents.ts";
import { github } from "../../src/sources/schemes/github.ts";
import { standardWebhooks } from "../../src/sources/schemes/standard-webhooks.ts";
import { stripe } from "../../src/sources/schemes/stripe.ts";

const NOW = 1_614_265_330_000;

function run(scheme: Scheme, headers: object, body: string, secrets: string[], now = NOW): Received[] | null {
	const check = scheme({ headers: headers as Record<string, string>, secrets, source: "/events/s", now });
	return check === null ? null : check(Buffer.from(body));
}
const textOf = ({ data }: Received) => Buffer.from(data.bytes).toString();

test("GitHub's own example is taken, and nothing that differs from it", () => {
	// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
	const secret = "It's a Secret to Everybody";
	const headers = {
		"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
		"x-github-event": "push",
		"x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
		"content-type": "text/plain",
	};
	const [event] = run(github, headers, "Hello, World!", [secret]) ?? [];
	assert.deepEqual([event.attributes.type, event.attributes.source, event.data.kind], ["push", "/events/s", "text"]);
	assert.equal(event.key, headers["x-github-delivery"]);
	assert.equal(run(github, headers, "Hello, World!", ["another secret of ours", secret])?.length, 1);
	assert.equal(run(github, headers, "Hello, World?", [secret]), null);
	assert.equal(run(github, headers, "Hello, World!", ["It's a secret to everybody"]), null);
	for (const signature of ["", "sha256=", "sha1=757107", headers["x-hub-signature-256"].toUpperCase()])
		assert.equal(run(github, { ...headers, "x-hub-signature-256": signature }, "Hello, World!", [secret]), null);
	assert.equal(run(github, { ...headers, "x-github-event": undefined }, "Hello, World!", [secret]), null);
});

test("the example of standard-webhooks is taken, at its time, under one of several keys and signatures", () => {
	// https://docs.svix.com/receiving/verifying-payloads/how-manual
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
	const headers = {
		"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
		"webhook-timestamp": "1614265330",
		"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
	};
	const body = '{"test": 2432232314}';
	const [event] = run(standardWebhooks, headers, body, [secret]) ?? [];
	assert.deepEqual([event.attributes.type, event.key, textOf(event)], ["webhook", headers["webhook-id"], body]);
	const other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
	assert.equal(run(standardWebhooks, headers, body, [other, secret])?.length, 1);
	assert.equal(run(standardWebhooks, headers, body, [other]), null);
	const several = { ...headers, "webhook-signature": `v1,${"A".repeat(43)}= v2,x ${headers["webhook-signature"]}` };
	assert.equal(run(standardWebhooks, several, body, [secret])?.length, 1);
	for (const ms of [-300_001, 300_001]) assert.equal(run(standardWebhooks, headers, body, [secret], NOW + ms), null);
	assert.equal(run(standardWebhooks, headers, body, [secret], NOW + 299_000)?.length, 1);
	assert.equal(run(standardWebhooks, { ...headers, "webhook-id": "msg_other" }, body, [secret]), null);
	assert.equal(run(standardWebhooks, { ...headers, "webhook-timestamp": "1614265331" }, body, [secret]), null);
	const many = { ...headers, "webhook-signature": `${headers["webhook-signature"]} `.repeat(11).trim() };
	assert.equal(run(standardWebhooks, many, body, [secret]), null);
});

test("a signature of Stripe's is taken for five minutes, and an event that is none is told so", () => {
	// https://docs.stripe.com/webhooks#verify-manually
	const secret = "whsec_test_secret_of_ours";
	const signed = (body: string, time = NOW / 1000, key = secret) =>
		`t=${time},v1=${createHmac("sha256", key).update(`${time}.${body}`).digest("hex")}`;
	const body = '{"id":"evt_1","object":"event","type":"invoice.paid"}';
	const headers = {
		"stripe-signature": `${signed(body)},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39`,
	};
	const [event] = run(stripe, headers, body, [secret]) ?? [];
	assert.deepEqual([event.attributes.type, event.attributes.id, event.key], ["invoice.paid", "evt_1", "evt_1"]);
	assert.equal(run(stripe, headers, body, [secret], NOW + 301_000), null);
	assert.equal(run(stripe, headers, `${body} `, [secret]), null);
	const rolled = { "stripe-signature": `${signed(body, NOW / 1000, "an older secret")},${signed(body).split(",")[1]}` };
	assert.equal(run(stripe, rolled, body, [secret])?.length, 1);
	for (const signature of ["", "t=1614265330", `v1=${"0".repeat(64)}`, signed(body).replace("t=", "t=-")])
		assert.equal(run(stripe, { "stripe-signature": signature }, body, [secret]), null);
	assert.throws(() => run(stripe, { "stripe-signature": signed("{}") }, "{}", [secret]), Malformed);
});

const SECRET = "a token of sixteen";
const TOKEN = "a-token-of-sixteen";
const bearer = { authorization: `Bearer ${TOKEN}` };
const events = (headers: object, body = "") => run(cloudevents, { ...bearer, ...headers }, body, [TOKEN]) ?? [];
const structured = (event: object) =>
	events({ "content-type": "application/cloudevents+json; charset=utf-8" }, JSON.stringify(event));
const REQUIRED = { specversion: "1.0", id: "1", source: "/s", type: "t" };

test("CloudEvents are taken from who shows the secret", () => {
	const headers = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };
	for (const authorization of [undefined, "", "Bearer", `Bearer ${TOKEN}x`, `Basic ${TOKEN}`, `Bearer ${SECRET}`])
		assert.equal(run(cloudevents, { ...headers, authorization }, "", [TOKEN]), null);
	assert.equal(events(headers).length, 1);
	assert.equal(run(cloudevents, { ...headers, ...bearer }, "", ["another-of-sixteen", TOKEN])?.length, 1);
});

test("in binary mode headers are attributes, and the body is the data", () => {
	const headers = {
		"ce-specversion": "1.0",
		"ce-id": "A234-1234-1234",
		"ce-source": "/cloudevents/spec/pull/123",
		"ce-type": "com.example.someevent",
		"ce-time": "2018-04-05T17:31:00Z",
		"ce-subject": "Euro%20%E2%82%AC%20%F0%9F%98%80",
		"ce-comexampleextension1": "value",
		"content-type": "application/json; charset=utf-8",
	};
	const [{ attributes, data }] = events(headers, '{"a":[1]}');
	assert.deepEqual(attributes, {
		specversion: "1.0",
		id: "A234-1234-1234",
		source: "/cloudevents/spec/pull/123",
		type: "com.example.someevent",
		time: "2018-04-05T17:31:00Z",
		subject: "Euro € 😀",
		comexampleextension1: "value",
		datacontenttype: "application/json; charset=utf-8",
	});
	assert.equal(data.kind, "json");
	assert.equal(events({ ...headers, "content-type": "application/octet-stream" }, "x")[0].data.kind, "bytes");
	assert.equal(events({ ...headers, "content-type": "text/plain" }, "x")[0].data.kind, "text");
	assert.equal(events({ ...headers, "content-type": "application/vnd.a+json" }, "1")[0].data.kind, "json");
	assert.equal(events(headers)[0].data.kind, "none");
	assert.throws(() => events(headers, "{"), /no JSON/);
	for (const missing of ["ce-specversion", "ce-id", "ce-source", "ce-type"])
		assert.throws(() => events({ ...headers, [missing]: "" }), Malformed, missing);
	assert.throws(() => events({ ...headers, "ce-specversion": "0.3" }), /specversion/);
	assert.throws(() => events({ ...headers, "ce-time": "yesterday" }), /time/);
	assert.throws(() => events({ ...headers, "ce-source": "a b" }), /source/);
	assert.throws(() => events({ ...headers, "ce-my_ext": "x" }), /names of up to 40/);
	assert.throws(
		() => events({ "content-type": "application/json" }, "{}"),
		(error: Malformed) => error.status === 415,
	);
});

test("in structured mode the body is the event, with data in JSON, as text or in base64", () => {
	const kindOf = (event: object) => structured({ ...REQUIRED, ...event }).map((one) => [one.data.kind, textOf(one)]);
	assert.deepEqual(kindOf({ data: { a: 1 } }), [["json", '{"a":1}']]);
	assert.deepEqual(kindOf({ data: "text" }), [["json", '"text"']]);
	assert.deepEqual(kindOf({ data: null }), [["json", "null"]]);
	assert.deepEqual(kindOf({ data: "text", datacontenttype: "text/plain" }), [["text", "text"]]);
	assert.deepEqual(kindOf({ data: { a: 1 }, datacontenttype: "text/xml" }), [["json", '{"a":1}']]);
	assert.deepEqual(kindOf({ data_base64: "AQI=", datacontenttype: "image/png" }), [["bytes", "\u0001\u0002"]]);
	assert.deepEqual(kindOf({}), [["none", ""]]);
	const [{ attributes }] = structured({ ...REQUIRED, number: 7, flag: true, gone: null });
	assert.deepEqual([attributes.number, attributes.flag, "gone" in attributes], [7, true, false]);
	for (const wrong of [
		{ specversion: "1.1" },
		{ id: "" },
		{ id: 1 },
		{ type: undefined },
		{ source: "" },
		{ time: "2018-04-05" },
		{ dataschema: "not a uri" },
		{ datacontenttype: "no" },
		{ subject: "" },
		{ upperCase: "x" },
		{ nested: {} },
		{ fraction: 1.5 },
		{ data: 1, data_base64: "AQI=" },
		{ data_base64: "?" },
	])
		assert.throws(() => structured({ ...REQUIRED, ...wrong }), Malformed, JSON.stringify(wrong));
	assert.throws(() => structured([]), Malformed);
	assert.throws(
		() => events({ "content-type": "application/cloudevents+avro" }, "x"),
		(error: Malformed) => error.status === 415,
	);
	const deep = `{"specversion":"1.0","id":"1","source":"/s","type":"t","data":${"[".repeat(60_000)}${"]".repeat(60_000)}}`;
	assert.equal(events({ "content-type": "application/cloudevents+json" }, deep)[0].data.kind, "json");
});

test("a batch is an array of events, each known by its source and id", () => {
	const batch = (all: unknown) => events({ "content-type": "application/cloudevents-batch+json" }, JSON.stringify(all));
	const all = batch([REQUIRED, { ...REQUIRED, id: "2" }, { ...REQUIRED, source: "/other" }]);
	assert.equal(new Set(all.map(({ key }) => key)).size, 3);
	assert.equal(batch([{ ...REQUIRED, subject: "again" }])[0].key, all[0].key);
	assert.deepEqual(batch([]), []);
	assert.throws(() => batch([REQUIRED, {}]), Malformed);
	assert.throws(() => batch(REQUIRED), Malformed);
	assert.throws(() => batch(Array.from({ length: 101 }, () => REQUIRED)), Malformed);
});
