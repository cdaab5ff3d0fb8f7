/* Runs in the browser: how long a list of centres takes from IndexedDB to checked values. */
import * as v from 'valibot';
import { centreSchema } from '../../../src/guidance/centres/centre.ts';
import { keepDocument, recallDocument } from '../../../src/storage/documents.ts';

declare global {
  interface Window {
    loadCentres: (count: number, rounds: number) => Promise<{ readonly read: number[]; readonly checked: number[] }>;
  }
}

const listSchema = v.array(centreSchema);
const address = '/api/centres';

const made = (count: number): readonly v.InferOutput<typeof centreSchema>[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `centre-${index}`,
    name: `第${index}服务中心`,
    district: '120101',
    address: `和平区某某路 ${index} 号某某大厦一层`,
    hours: '周一至周五 9:00–12:00，13:30–17:00',
    phone: '022-12345678',
    services: ['renew', 'upgrade', 'new'],
    coordinates: { system: 'gcj02', latitude: 39.1, longitude: 117.2 },
    sample: false,
  }));

window.loadCentres = async (count, rounds) => {
  await keepDocument(address, { text: JSON.stringify(made(count)), storedAt: 0 });
  const times: { read: number[]; checked: number[] } = { read: [], checked: [] };
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    const copy = await recallDocument(address);
    const read = performance.now();
    const list = v.parse(listSchema, JSON.parse(copy?.text ?? ''));
    const checked = performance.now();
    if (list.length !== count) throw new Error('a centre was lost');
    times.read.push(read - begun);
    times.checked.push(checked - begun);
  }
  return times;
};
