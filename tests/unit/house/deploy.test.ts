import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { headers } from '../../deploy/headers.ts';
import { exampleFile, siteOf } from '../../demo/nginx.ts';

const example = readFileSync(exampleFile, 'utf8');
const front = { name: 'demo', port: 4173, root: '/srv/my site/dist', backPort: 9000 };

describe('the nginx example', () => {
  it('says every header, and no other, once, and of errors too', () => {
    const said = [...example.matchAll(/^ {4}add_header (\S+) "([^"]+)" always;$/gm)];
    expect(said.map(([, name, value]) => [name, value])).toEqual(Object.entries(headers));
  });

  it('has no add_header in a location, where it would stand instead of all others', () => {
    const locations = [...example.matchAll(/location [^{]+\{[^}]*\}/g)].map(([block]) => block);
    expect(locations.length).toBeGreaterThan(5);
    expect(locations.filter((block) => block.includes('add_header'))).toEqual([]);
    expect(example.match(/add_header/g)?.length).toBe(Object.keys(headers).length + 1 + 1);
  });

  it('becomes a site on this machine, without TLS, with places and ports of its own', () => {
    const site = siteOf(example, front);

    expect(site).toContain('listen 127.0.0.1:4173;');
    expect(site).toContain('root "/srv/my site/dist";');
    expect(site.match(/server 127\.0\.0\.1:9000;/g)).toHaveLength(2);
    expect(site).not.toMatch(/ssl|casupport|:443|:80\b/);
    for (const [name, value] of Object.entries(headers))
      expect(site).toContain(`add_header ${name} "${value}" always;`);
  });

  it('is not quietly run as something else once it has been changed', () => {
    expect(() => siteOf(example.replace('root /srv', 'alias /srv'), front)).toThrow(RangeError);
  });
});

it('no header’s value could end its own quotation', () => {
  expect(Object.values(headers).filter((value) => /["\\$\n]/.test(value))).toEqual([]);
});
