import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const app = path.resolve(import.meta.dirname, '../../../src/app');

it('only the acceptance run’s page sees whole APDUs', () => {
  const seeing = readdirSync(app, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:ts|svelte)$/.test(entry.name))
    .filter((entry) =>
      /TranscriptRecorder|recordingChannel|\bwrap: \(/.test(
        readFileSync(path.join(entry.parentPath, entry.name), 'utf8'),
      ),
    )
    .map((entry) => entry.name);

  expect(seeing).toEqual(['key-acceptance.svelte.ts']);
});
