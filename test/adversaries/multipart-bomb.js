// A form of a million parts, none of which says anything.
export default {
	async fetch() {
		const part = '--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n\r\n';
		const body = `${part.repeat(1e6)}--b--\r\n`;
		const form = await new Response(body, { headers: { "content-type": "multipart/form-data; boundary=b" } }).formData();
		return new Response(String([...form].length));
	},
};
