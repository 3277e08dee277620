/**
 * What is wrong with the Node that this runs on, in a sentence; `null` where nothing is. Whatever Node that is, it can
 * read this file.
 */
exports.nodeProblem = (version = process.versions.node) =>
	Number(version.split(".")[0]) < 24 ? `atoll needs Node.js 24 or newer, and this is ${version}.` : null;
