// @ts-check
// Plain old JavaScript on purpose: it must run, and say what is wrong, on a Node.js that is too old for everything else.
var parts = process.versions.node.split('.').map(Number);
var major = parts[0] || 0;
var minor = parts[1] || 0;
var fits = (major === 20 && minor >= 19) || (major === 22 && minor >= 13) || major >= 24;
if (!fits) {
  console.error(
    'This project needs Node.js 20.19+, 22.13+ or 24+; this is ' +
      process.versions.node +
      '. Install one from your system or the Node.js site.',
  );
  process.exit(1);
}
