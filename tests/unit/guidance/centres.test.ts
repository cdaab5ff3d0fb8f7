import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import {
  centreSchema,
  countByDistrict,
  filterCentres,
  telHref,
  type Centre,
} from '../../../src/guidance/centres/centre.ts';
import { parseCsv } from '../../../src/guidance/centres/csv.ts';
import { districtCodes, districtNames, findDistrict } from '../../../src/guidance/centres/districts.ts';
import { importCentres } from '../../../src/guidance/centres/import.ts';
import { mapLinks } from '../../../src/guidance/centres/map-links.ts';
import { sampleCentres } from '../../../src/guidance/centres/sample.ts';

const header = 'id,name,district,address,services,hours,phone,latitude,longitude,system';
const good = 'a1,示例一,和平区,示例路 1 号,升级;更新,,,,,';

describe('the districts of Tianjin', () => {
  test('are sixteen, each with code and name', () => {
    expect(districtCodes.map((code) => `${code} ${districtNames[code]['zh-CN']}`).join('\n')).toBe(
      `120101 和平区
120102 河东区
120103 河西区
120104 南开区
120105 河北区
120106 红桥区
120110 东丽区
120111 西青区
120112 津南区
120113 北辰区
120114 武清区
120115 宝坻区
120116 滨海新区
120117 宁河区
120118 静海区
120119 蓟州区`,
    );
  });

  test.each([
    ['120116', '120116'],
    ['滨海新区', '120116'],
    ['滨海', '120116'],
    [' 河北区 ', '120105'],
    ['河北', '120105'],
    ['朝阳区', undefined],
    ['', undefined],
    ['区', undefined],
  ])('“%s” is %s', (written, code) => {
    expect(findDistrict(written)).toBe(code);
  });
});

describe('the sample centres', () => {
  test('say in every line that they are samples, and hold no number anybody could dial', () => {
    expect(sampleCentres.length).toBeGreaterThanOrEqual(3);
    for (const centre of sampleCentres) {
      expect(v.is(centreSchema, centre)).toBe(true);
      expect(centre).toMatchObject({ sample: true, phone: '' });
      expect(centre.name).toMatch(/^示例/);
      expect(centre.address).toContain('示例地址，请勿前往');
      expect(centre.coordinates).toBeUndefined();
    }
  });
});

describe('finding a centre', () => {
  const names = (found: readonly Centre[]) => found.map((centre) => centre.id);

  test.each([
    [{}, ['sample-1', 'sample-2', 'sample-3', 'sample-4']],
    [{ district: '120116' }, ['sample-3', 'sample-4']],
    [{ service: 'replace' }, ['sample-1', 'sample-2', 'sample-4']],
    [{ district: '120116', service: 'replace' }, ['sample-4']],
    [{ words: ' 大街 ' }, ['sample-3', 'sample-4']],
    [{ words: '没有这里' }, []],
    [{ district: '120119' }, []],
  ] as const)('%j', (filter, ids) => {
    expect(names(filterCentres([...sampleCentres].reverse(), filter)).sort()).toEqual([...ids]);
  });

  test('the list goes by district', () => {
    expect(filterCentres([...sampleCentres].reverse(), {}).map((centre) => centre.district)).toEqual([
      '120101',
      '120104',
      '120116',
      '120116',
    ]);
  });

  test('the chips count', () => {
    expect([...countByDistrict(sampleCentres)]).toEqual([
      ['120101', 1],
      ['120104', 1],
      ['120116', 2],
    ]);
  });

  test.each([
    ['022-23456789', 'tel:02223456789'],
    ['022 23456789转8001', 'tel:02223456789,8001'],
    ['022-23456789-12', 'tel:02223456789,12'],
    ['+86 138-0013-8000', 'tel:+8613800138000'],
    ['12345', undefined],
    ['+86 13800138000', 'tel:+8613800138000'],
    ['400-880-9888', 'tel:4008809888'],
    ['95105345-2', 'tel:95105345,2'],
    ['', undefined],
    ['javascript:alert(1)', undefined],
  ])('“%s” dials %s', (phone, href) => {
    expect(telHref(phone)).toBe(href);
  });
});

describe('map links', () => {
  const odd: Centre = {
    id: 'x',
    name: '示例 A&B #1 + 二层',
    district: '120101',
    address: '示例路 1 号?x=1&y=2',
    hours: '',
    phone: '',
    services: ['renew'],
    sample: true,
  };

  test('search for name and address, whatever characters they have', () => {
    const [amap, baidu] = mapLinks(odd).map(({ href }) => new URL(href));
    expect(amap?.origin).toBe('https://uri.amap.com');
    expect(amap?.searchParams.get('keyword')).toBe('天津市和平区示例路 1 号?x=1&y=2 示例 A&B #1 + 二层');
    expect(baidu?.origin).toBe('https://api.map.baidu.com');
    expect(baidu?.searchParams.get('address')).toBe('天津市和平区示例路 1 号?x=1&y=2');
    expect(amap?.href).not.toContain('+');
  });

  test.each([
    ['gcj02', 'gaode', 'gcj02'],
    ['wgs84', 'wgs84', 'wgs84'],
  ] as const)('with coordinates in %s the maps are told so', (system, coordinate, coordType) => {
    const [amap, baidu] = mapLinks({ ...odd, coordinates: { system, latitude: 39.1, longitude: 117.2 } });
    expect(Object.fromEntries(new URL(amap?.href ?? '').searchParams)).toMatchObject({
      position: '117.2,39.1',
      coordinate,
    });
    expect(Object.fromEntries(new URL(baidu?.href ?? '').searchParams)).toMatchObject({
      location: '39.1,117.2',
      coord_type: coordType,
    });
  });
});

describe('comma-separated values', () => {
  test.each([
    [
      'a,b\r\nc,d\r\n',
      [
        [1, 'a', 'b'],
        [2, 'c', 'd'],
      ],
    ],
    [
      '\ufeffa,b\nc,d',
      [
        [1, 'a', 'b'],
        [2, 'c', 'd'],
      ],
    ],
    [
      'a,b\rc,d\r',
      [
        [1, 'a', 'b'],
        [2, 'c', 'd'],
      ],
    ],
    ['"a,1","b ""x"""\n', [[1, 'a,1', 'b "x"']]],
    [
      '"two\r\nlines",b\nnext,c',
      [
        [1, 'two\r\nlines', 'b'],
        [3, 'next', 'c'],
      ],
    ],
    [
      'a,\n\n,\n"",b',
      [
        [1, 'a', ''],
        [4, '', 'b'],
      ],
    ],
    ['', []],
  ])('%j', (text, expected) => {
    const { records, unclosedQuote } = parseCsv(text);
    expect(records.map(({ line, cells }) => [line, ...cells])).toEqual(expected);
    expect(unclosedQuote).toBeUndefined();
  });

  test('a quote that never ends is told with its line', () => {
    expect(parseCsv('a,b\nc,"d\ne').unclosedQuote).toBe(2);
  });

  test('what is written with quotes reads back', () => {
    const cell = fc.string({ unit: 'grapheme' });
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(table, fc.constantFrom('\r\n', '\n', '\r'), (rows, newline) => {
        const written = rows.map((row) => row.map((one) => `"${one.replaceAll('"', '""')}"`).join(',')).join(newline);
        expect(parseCsv(written).records.map((record) => record.cells)).toEqual(
          rows.filter((row) => row.some((one) => one !== '')),
        );
      }),
    );
  });
});

describe('the operator’s table', () => {
  const csv = (...lines: string[]) => importCentres([header, ...lines].join('\r\n'), 'csv');

  test('is read', () => {
    expect(
      csv('c-1,"示例, 一",120101,"示例路 1 号\n二层",upgrade、解锁,9:00–17:00,022-23456789转1,39.12,117.2,GCJ-02'),
    ).toEqual({
      ok: true,
      centres: [
        {
          id: 'c-1',
          name: '示例, 一',
          district: '120101',
          address: '示例路 1 号 二层',
          services: ['upgrade', 'unlock'],
          hours: '9:00–17:00',
          phone: '022-23456789转1',
          coordinates: { system: 'gcj02', latitude: 39.12, longitude: 117.2 },
          sample: false,
        },
      ],
    });
  });

  test('may have Chinese headings, another order and no optional column', () => {
    const result = importCentres('\ufeff地址,可办业务,编号,网点名称,所属区\n示例路 1 号,补办,a1,示例一,蓟州\n', 'csv');
    expect(result).toMatchObject({
      ok: true,
      centres: [{ id: 'a1', district: '120119', services: ['replace'], hours: '' }],
    });
  });

  test.each([
    ['unknown district', [good.replace('和平区', '朝阳区')], [2, 'district', 'unknownDistrict']],
    ['bad phone', ['a1,示例一,和平区,示例路,升级,,12345,,,'], [2, 'phone', 'badPhone']],
    ['duplicate id', [good, good], [3, 'id', 'duplicateId']],
    ['bad id', [good.replace('a1', 'a 1')], [2, 'id', 'badId']],
    ['no name', [good.replace('示例一', '')], [2, 'name', 'missingValue']],
    ['unknown service', [good.replace('更新', '年检')], [2, 'services', 'unknownService']],
    [
      'a service named like a member of every object',
      [good.replace('更新', 'constructor')],
      [2, 'services', 'unknownService'],
    ],
    ['latitude alone', ['a1,示例一,和平区,示例路,升级,,,39.1,,'], [2, 'coordinates', 'badCoordinates']],
    ['swapped coordinates', ['a1,示例一,和平区,示例路,升级,,,117.2,39.1,gcj02'], [2, 'coordinates', 'badCoordinates']],
    ['no system', ['a1,示例一,和平区,示例路,升级,,,39.1,117.2,'], [2, 'coordinates', 'badCoordinates']],
    ['another system', ['a1,示例一,和平区,示例路,升级,,,39.1,117.2,bd09'], [2, 'coordinates', 'badCoordinates']],
    [
      'coordinates in words',
      ['a1,示例一,和平区,示例路,升级,,,北纬39度,117.2,gcj02'],
      [2, 'coordinates', 'badCoordinates'],
    ],
    ['a name too long', [good.replace('示例一', '示'.repeat(81))], [2, 'name', 'tooLong']],
    ['a cell too many', [`${good},x`], [2, undefined, 'tooManyCells']],
    ['a quote left open', ['a1,"示例一,和平区'], [2, undefined, 'unclosedQuote']],
    ['no entry at all', [], [0, undefined, 'empty']],
  ] as const)('%s is told by line', (_what, lines, [line, column, problem]) => {
    expect(csv(...lines)).toEqual({ ok: false, errors: [{ line, column, problem }] });
  });

  test('every error is told at once, by its line in the file', () => {
    const result = csv(
      good,
      'b,,朝阳区,,升级,,1,,,',
      '"c\nc",示例,和平区,示例路,升级,,,,,',
      good.replace('a1', 'd'),
      good,
    );
    expect(result.ok ? [] : result.errors.map(({ line, problem }) => `${line} ${problem}`)).toEqual([
      '3 missingValue',
      '3 missingValue',
      '3 unknownDistrict',
      '3 badPhone',
      '4 badId',
      '7 duplicateId',
    ]);
  });

  test.each([
    ['id,name,district,address\na1,示例一,和平区,示例路', [1, 'services', 'missingColumn']],
    [`${header},fax\n${good},1`, [1, 'fax', 'unknownColumn']],
    [`${header},constructor\n${good},1`, [1, 'constructor', 'unknownColumn']],
    [`${header},id\n${good},a2`, [1, 'id', 'duplicateColumn']],
    ['', [0, undefined, 'empty']],
    [`${header}\r\n${good.replace('示例一', '\ufffd\ufffd')}`, [0, undefined, 'badEncoding']],
    ['x'.repeat(8_000_001), [0, undefined, 'tooLarge']],
    [
      [header, ...Array.from({ length: 10_001 }, (_, at) => good.replace('a1', `a${at}`))].join('\n'),
      [0, undefined, 'tooMany'],
    ],
  ] as const)('a file with a wrong head or body is refused (%#)', (text, [line, column, problem]) => {
    expect(importCentres(text, 'csv')).toEqual({ ok: false, errors: [{ line, column, problem }] });
  });

  test.each([
    ['{', [0, undefined, 'notJson']],
    ['{"id":"a1"}', [0, undefined, 'notAList']],
    ['[1]', [0, undefined, 'notAList']],
    ['[]', [0, undefined, 'empty']],
    ['[{"id":{"a":1}}]', [1, 'id', 'badValue']],
    [
      '[{"id":"a1","name":"示例一","district":"120101","address":"示例路","services":["renew"],"fax":"1"}]',
      [1, 'fax', 'unknownColumn'],
    ],
    [
      '[{"id":"a1","name":"示例一","district":"120101","address":"示例路","services":[]}]',
      [1, 'services', 'missingValue'],
    ],
  ] as const)('JSON %j is refused', (text, [line, column, problem]) => {
    expect(importCentres(text, 'json')).toEqual({ ok: false, errors: [{ line, column, problem }] });
  });

  test('JSON is read, with lists and numbers', () => {
    const entry = { id: 'a1', name: '示例一', district: '宝坻区', address: '示例路', services: ['renew', 'unlock'] };
    const placed = { ...entry, latitude: 39.7, longitude: 117.3, system: 'wgs84', phone: null };
    expect(importCentres(JSON.stringify([placed]), 'json')).toMatchObject({
      ok: true,
      centres: [{ district: '120115', services: ['renew', 'unlock'], coordinates: { system: 'wgs84' } }],
    });
  });

  test('any text at all gets an answer: centres that pass the schema, or errors', () => {
    const fragment = fc.constantFrom(
      header,
      good,
      '"',
      ',',
      '\n',
      '\r\n',
      'a2',
      '和平区',
      '[',
      ']',
      '{"id":',
      '}',
      '\ufeff',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fragment).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, fc.constantFrom('csv' as const, 'json' as const), (written, format) => {
        const result = importCentres(written, format);
        if (result.ok) expect(result.centres.every((centre) => v.is(centreSchema, centre))).toBe(true);
        else expect(result.errors.length).toBeGreaterThan(0);
      }),
      { numRuns: 1000 },
    );
  });
});
