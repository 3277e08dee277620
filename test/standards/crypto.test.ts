import { error, standard } from "../support/standard.ts";

const AES = `await crypto.subtle.generateKey({ name: "AES-GCM", length: 128 }, true, ["encrypt", "decrypt"])`;

standard("https://w3c.github.io/webcrypto/", {
	"#Crypto-method-getRandomValues": [
		[
			"fills and returns the very view",
			`const v = new Uint8Array(32); const r = crypto.getRandomValues(v); return [r === v, v.some((x) => x > 0)]`,
			[true, true],
		],
		[
			"1. floats and DataViews are a TypeMismatchError",
			`return [new Float32Array(1), new DataView(new ArrayBuffer(1))].map((v) => { try { crypto.getRandomValues(v); } catch (e) { return e.name; } })`,
			["TypeMismatchError", "TypeMismatchError"],
		],
		[
			"2. more than 65536 bytes are a QuotaExceededError",
			`crypto.getRandomValues(new Uint8Array(65537))`,
			error("QuotaExceededError"),
		],
		[
			"respects the view's place",
			`const b = new Uint8Array(64); crypto.getRandomValues(b.subarray(16, 48)); return [b.subarray(0, 16).every((x) => x === 0), b.subarray(48).every((x) => x === 0)]`,
			[true, true],
		],
	],
	"#Crypto-method-randomUUID": [
		[
			"version 4, variant 1",
			`/^[\\da-f]{8}-[\\da-f]{4}-4[\\da-f]{3}-[89ab][\\da-f]{3}-[\\da-f]{12}$/.test(crypto.randomUUID())`,
			true,
		],
	],
	"#SubtleCrypto-method-digest": [
		[
			"all four",
			`const out = []; for (const a of ["SHA-1", { name: "sha-256" }, "SHA-384", "SHA-512"]) out.push((await crypto.subtle.digest(a, new Uint8Array())).byteLength); return out`,
			[20, 32, 48, 64],
		],
		[
			"the bytes are those of the call",
			`const b = new Uint8Array([97]); const p = crypto.subtle.digest("SHA-256", b); b[0] = 98; return new Uint8Array(await p)[0]`,
			0xca,
		],
		[
			"an algorithm that is not known is a NotSupportedError",
			`await crypto.subtle.digest("MD4", new Uint8Array())`,
			error("NotSupportedError"),
		],
		["data that is no buffer is a TypeError", `await crypto.subtle.digest("SHA-256", "text")`, error("TypeError")],
		["arguments are required", `await crypto.subtle.digest("SHA-256")`, error("TypeError")],
		[
			"errors are rejections",
			`const p = crypto.subtle.digest("MD4", new Uint8Array()); p.catch(() => 0); return p instanceof Promise`,
			true,
		],
	],
	"#SubtleCrypto-method-generateKey": [
		[
			"usages that the algorithm does not have are a SyntaxError",
			`await crypto.subtle.generateKey({ name: "AES-GCM", length: 128 }, true, ["sign"])`,
			error("SyntaxError"),
		],
		[
			"no usages for a secret key are a SyntaxError",
			`await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, [])`,
			error("SyntaxError"),
		],
		[
			"a length that is none is an OperationError",
			`await crypto.subtle.generateKey({ name: "AES-GCM", length: 100 }, true, ["encrypt"])`,
			error("OperationError"),
		],
		[
			"a pair has its usages divided",
			`const { publicKey, privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]); return [publicKey.usages, privateKey.usages, publicKey.extractable, privateKey.extractable, publicKey.type]`,
			[["verify"], ["sign"], true, false, "public"],
		],
		["the key's algorithm", `(${AES}).algorithm`, { name: "AES-GCM", length: 128 }],
	],
	"#SubtleCrypto-method-encrypt": [
		[
			"another algorithm than the key's is an InvalidAccessError",
			`await crypto.subtle.encrypt({ name: "AES-CBC", iv: new Uint8Array(16) }, ${AES}, new Uint8Array(1))`,
			error("InvalidAccessError"),
		],
		[
			"a usage that the key does not have is an InvalidAccessError",
			`const k = await crypto.subtle.generateKey({ name: "AES-GCM", length: 128 }, true, ["decrypt"]); await crypto.subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(12) }, k, new Uint8Array(1))`,
			error("InvalidAccessError"),
		],
		[
			"what is encrypted can be decrypted",
			`const k = ${AES}; const a = { name: "AES-GCM", iv: new Uint8Array(12), additionalData: new Uint8Array([1]) }; return [...new Uint8Array(await crypto.subtle.decrypt(a, k, await crypto.subtle.encrypt(a, k, new Uint8Array([1, 2]))))]`,
			[1, 2],
		],
		[
			"what was changed is an OperationError",
			`const k = ${AES}; const a = { name: "AES-GCM", iv: new Uint8Array(12) }; const c = new Uint8Array(await crypto.subtle.encrypt(a, k, new Uint8Array([1, 2]))); c[0] ^= 1; await crypto.subtle.decrypt(a, k, c)`,
			error("OperationError"),
		],
		[
			"an iv of the wrong length is an OperationError",
			`const k = await crypto.subtle.generateKey({ name: "AES-CBC", length: 128 }, true, ["encrypt"]); await crypto.subtle.encrypt({ name: "AES-CBC", iv: new Uint8Array(3) }, k, new Uint8Array(1))`,
			error("OperationError"),
		],
		[
			"a key of another kind is a TypeError",
			`await crypto.subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(12) }, {}, new Uint8Array(1))`,
			error("TypeError"),
		],
	],
	"#SubtleCrypto-method-sign": [
		[
			"HMAC, ECDSA, Ed25519, RSA: signed and verified",
			`
			const out = [];
			for (const [g, s] of [[{ name: "HMAC", hash: "SHA-256" }, "HMAC"], [{ name: "ECDSA", namedCurve: "P-384" }, { name: "ECDSA", hash: "SHA-384" }], [{ name: "Ed25519" }, "Ed25519"], [{ name: "RSA-PSS", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" }, { name: "RSA-PSS", saltLength: 32 }], [{ name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" }, "RSASSA-PKCS1-v1_5"]]) {
				const k = await crypto.subtle.generateKey(g, false, ["sign", "verify"]);
				const sig = await crypto.subtle.sign(s, k.privateKey ?? k, new Uint8Array([1]));
				out.push(await crypto.subtle.verify(s, k.publicKey ?? k, sig, new Uint8Array([1])), await crypto.subtle.verify(s, k.publicKey ?? k, sig, new Uint8Array([2])));
			}
			return out`,
			[true, false, true, false, true, false, true, false, true, false],
		],
		[
			"a public key cannot sign",
			`const { publicKey } = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]); await crypto.subtle.sign("Ed25519", publicKey, new Uint8Array())`,
			error("InvalidAccessError"),
		],
	],
	"#SubtleCrypto-method-exportKey": [
		[
			"a key that is not extractable is an InvalidAccessError",
			`const k = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]); await crypto.subtle.exportKey("raw", k)`,
			error("InvalidAccessError"),
		],
		[
			"raw, jwk, spki, pkcs8 go there and back",
			`
			const out = [];
			const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
			for (const [f, k, u] of [["raw", pair.publicKey, ["verify"]], ["spki", pair.publicKey, ["verify"]], ["jwk", pair.publicKey, ["verify"]], ["pkcs8", pair.privateKey, ["sign"]], ["jwk", pair.privateKey, ["sign"]]]) {
				const data = await crypto.subtle.exportKey(f, k);
				const again = await crypto.subtle.importKey(f, data, { name: "ECDSA", namedCurve: "P-256" }, true, u);
				out.push(again.type);
			}
			return out`,
			["public", "public", "public", "private", "private"],
		],
		[
			"a format that the key has not is an InvalidAccessError",
			`const { privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]); await crypto.subtle.exportKey("spki", privateKey)`,
			error("InvalidAccessError"),
		],
		["a format that is not known is a TypeError", `await crypto.subtle.exportKey("x", ${AES})`, error("TypeError")],
	],
	"#SubtleCrypto-method-importKey": [
		[
			"key data that is none is a DataError",
			`await crypto.subtle.importKey("spki", new Uint8Array([1, 2]), { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"])`,
			error("DataError"),
		],
		[
			"a JWK of another kind is a DataError",
			`await crypto.subtle.importKey("jwk", { kty: "oct", k: "AAAA" }, { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"])`,
			error("DataError"),
		],
		[
			"a JWK for raw, and bytes for jwk, are a TypeError",
			`const names = []; await crypto.subtle.importKey("raw", { kty: "oct" }, "AES-GCM", true, ["encrypt"]).catch((e) => names.push(e.name)); await crypto.subtle.importKey("jwk", new Uint8Array(16), "AES-GCM", true, ["encrypt"]).catch((e) => names.push(e.name)); return names`,
			["TypeError", "TypeError"],
		],
		[
			"raw of an AES key has one of three lengths",
			`await crypto.subtle.importKey("raw", new Uint8Array(15), "AES-GCM", true, ["encrypt"])`,
			error("DataError"),
		],
	],
	"#SubtleCrypto-method-deriveBits": [
		[
			"PBKDF2 and HKDF",
			`const out = []; for (const a of [{ name: "PBKDF2", salt: new Uint8Array(8), iterations: 10, hash: "SHA-256" }, { name: "HKDF", salt: new Uint8Array(8), info: new Uint8Array(), hash: "SHA-256" }]) { const k = await crypto.subtle.importKey("raw", new Uint8Array(8), a.name, false, ["deriveBits"]); out.push((await crypto.subtle.deriveBits(a, k, 128)).byteLength); } return out`,
			[16, 16],
		],
		[
			"ECDH and X25519 agree on both sides",
			`const out = []; for (const g of [{ name: "ECDH", namedCurve: "P-256" }, { name: "X25519" }]) { const a = await crypto.subtle.generateKey(g, false, ["deriveBits"]); const b = await crypto.subtle.generateKey(g, false, ["deriveBits"]); const bits = async (mine, other) => String(new Uint8Array(await crypto.subtle.deriveBits({ name: g.name, public: other.publicKey }, mine.privateKey, 256))); out.push(await bits(a, b) === await bits(b, a)); } return out`,
			[true, true],
		],
		[
			"deriveKey gives a key of the algorithm that is asked for",
			`const k = await crypto.subtle.importKey("raw", new Uint8Array(8), "PBKDF2", false, ["deriveKey"]); return (await crypto.subtle.deriveKey({ name: "PBKDF2", salt: new Uint8Array(8), iterations: 1, hash: "SHA-1" }, k, { name: "AES-KW", length: 256 }, true, ["wrapKey"])).algorithm`,
			{ name: "AES-KW", length: 256 },
		],
	],
	"#SubtleCrypto-method-wrapKey": [
		[
			"a wrapped key can be unwrapped",
			`const kw = await crypto.subtle.generateKey({ name: "AES-KW", length: 128 }, true, ["wrapKey", "unwrapKey"]); const k = ${AES}; const w = await crypto.subtle.wrapKey("raw", k, kw, "AES-KW"); const u = await crypto.subtle.unwrapKey("raw", w, kw, "AES-KW", "AES-GCM", true, ["encrypt"]); return [w.byteLength, String(new Uint8Array(await crypto.subtle.exportKey("raw", u))) === String(new Uint8Array(await crypto.subtle.exportKey("raw", k)))]`,
			[24, true],
		],
	],
	"#cryptokey-interface": [
		["cannot be constructed", `new CryptoKey()`, error("TypeError")],
		[
			"algorithm and usages are the same each time",
			`const k = ${AES}; return [k.algorithm === k.algorithm, k.usages === k.usages]`,
			[true, true],
		],
		[
			"nothing of the key is in its properties",
			`const k = ${AES}; return [Object.getOwnPropertyNames(k), Object.getOwnPropertySymbols(k).length, JSON.stringify(k)]`,
			[[], 0, "{}"],
		],
	],
});
