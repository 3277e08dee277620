/**
 * What `import` and `require` of the package load: a Node that is too old would fail at the first module of dist/ which
 * it cannot read, and not say why. As CommonJS it is checked before they are so much as parsed, in either way.
 */
const { nodeProblem } = require("./node-version.cjs");

const problem = nodeProblem();
if (problem !== null) throw new Error(problem);
const { BuildError, createRuntime, UsageError } = require("../dist/index.js");
module.exports = { BuildError, createRuntime, UsageError };
