import { createServer } from 'node:http';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { listen } from '../demo/listen.ts';
import { caDirectory, portNumber } from '../demo/options.ts';
import { answerWith } from './http.ts';
import { openReferenceCa } from './reference-ca.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: process.env['PORT'] ?? '8829' },
    data: { type: 'string', default: caDirectory },
    host: { type: 'string' },
    'strict-port': { type: 'boolean', default: false },
  },
});

const directory = path.resolve(values.data);
const ca = await openReferenceCa({ directory });
const listening = await listen(() => createServer(answerWith(ca.handler)), {
  port: portNumber(values.port),
  strictPort: values['strict-port'],
  host: values.host,
});

const stop = async (): Promise<void> => {
  await listening.close();
  await ca.close();
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());

console.log(
  `Reference CA: CMP (RFC 9810) at ${listening.url}ca/cmp, lookup at ${listening.url}api/enrolments/{transactionID}`,
);
console.log(`and rest-enrolment, with PKCS #10 or CFCA's request, at ${listening.url}ca/rest/enrolments`);
console.log(`Ledger: ${ca.ledger.file ?? 'in memory'}`);
const { cutOffBytes } = ca.ledger;
if (cutOffBytes > 0) {
  console.log(`The ledger's last line was cut short by a crash: its ${cutOffBytes} bytes, never acted upon, are gone.`);
}
console.log(listening.url);
