import { parseCertificate } from '../../src/pki/certificate.ts';
import type { Bytes } from '../../src/pki/bytes.ts';
import type { Incoming } from './faults.ts';
import { generateKey } from './keys.ts';
import { readSignedAnswer, signedBody, type Question } from './rest-documents.ts';

/** A request of rest-enrolment that came in. @param question what an answer would be to; undefined: it cannot be answered */
export const incomingRest = (question: Question | undefined, answer: Incoming['answer']): Incoming => ({
  answer,
  unprotectedError: () => Promise.resolve(question && unsigned(question)),
  protectedAnew,
});

/** A refusal that says all it should, without a signature. */
function unsigned(question: Question): Bytes {
  const refusal = { status: 'refused', failInfo: ['certRevoked'], text: [] };
  const document = { version: 1, ...question, time: new Date().toISOString(), ...refusal };
  const body = { document: Buffer.from(JSON.stringify(document)).toString('base64') };
  return new TextEncoder().encode(JSON.stringify(body));
}

/** The same answer, signed by a key made for this alone. */
async function protectedAnew(answer: Bytes): Promise<Bytes> {
  const { document, signedBytes, certificates } = readSignedAnswer(answer);
  const [signer] = certificates;
  const algorithm = signer && parseCertificate(signer).keyAlgorithm;
  const key = await generateKey(algorithm === 'p256' || algorithm === 'rsa' ? algorithm : 'sm2');
  return signedBody(document, await key.sign(signedBytes), certificates);
}
