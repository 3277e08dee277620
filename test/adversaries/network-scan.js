const targets = [
	"http://127.0.0.1/",
	"http://localhost/",
	"http://[::1]/",
	"http://169.254.169.254/latest/meta-data",
	"http://10.0.0.1/",
	"http://192.168.0.1/",
	"http://172.16.0.1/",
	"http://0x7f.1/",
	"http://2130706433/",
	"http://0177.0.0.1/",
	"http://[::ffff:7f00:1]/",
	"http://0.0.0.0/",
	"http://[fd00::1]/",
	"http://[fe80::1]/",
	"file:///etc/passwd",
	"ftp://127.0.0.1/",
	"http://127.1/",
	"http://[::127.0.0.1]/",
	"http://[64:ff9b::7f00:1]/",
];
export default {
	async fetch() {
		const reached = [];
		for (const target of targets) {
			try {
				const response = await fetch(target);
				reached.push(target + " " + response.status);
			} catch (error) {
				if (!/private|only http|not allowed/.test(error.message)) reached.push(target + " " + error.message);
			}
		}
		return Response.json(reached);
	},
};
