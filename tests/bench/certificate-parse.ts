import { X509Certificate } from 'node:crypto';
import { Certificate } from 'pkijs';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { readCorpus } from '../fuzz/parser-targets.ts';
import { race, type Measure, type Row } from './measure.ts';

export const certificateParse: Measure = {
  name: 'parse',
  title: 'reading a certificate: names, validity, key, extensions',
  run: async () => {
    const rows: Row[] = [];
    for (const der of readCorpus().certificate) {
      const { keyAlgorithm, isCa } = parseCertificate(der);
      rows.push(
        await race({
          name: `${keyAlgorithm}${isCa ? ', an authority’s' : ''}, ${der.length} bytes`,
          rounds: 200,
          repeats: 10,
          runners: {
            ours: () => parseCertificate(der),
            pkijs: () => Certificate.fromBER(der),
            'node:crypto': () => {
              // It reads when asked, and knows no SM2 key: that is not asked for.
              const { subject, issuer, validFrom, validTo, serialNumber, keyUsage, ca } = new X509Certificate(der);
              return [subject, issuer, validFrom, validTo, serialNumber, keyUsage, ca];
            },
          },
          goals: [{ of: 'ours', against: 'pkijs', atMost: 1 }],
        }),
      );
    }
    return rows;
  },
};
