import type { Centre } from './centre.ts';

/** Made up, to show the page before the operator has published the real centres. No address here exists. */
export const sampleCentres: readonly Centre[] = [
  {
    id: 'sample-1',
    name: '示例服务中心一',
    district: '120101',
    address: '示例路 1 号（示例地址，请勿前往）',
    hours: '示例：工作日 9:00–17:00',
    phone: '',
    services: ['upgrade', 'new', 'renew', 'replace', 'unlock'],
    sample: true,
  },
  {
    id: 'sample-2',
    name: '示例服务中心二',
    district: '120104',
    address: '示例路 2 号（示例地址，请勿前往）',
    hours: '示例：工作日 9:00–12:00，13:30–17:00',
    phone: '',
    services: ['upgrade', 'new', 'renew', 'replace', 'unlock'],
    sample: true,
  },
  {
    id: 'sample-3',
    name: '示例服务中心三',
    district: '120116',
    address: '示例大街 3 号（示例地址，请勿前往）',
    hours: '',
    phone: '',
    services: ['upgrade', 'renew', 'unlock'],
    sample: true,
  },
  {
    id: 'sample-4',
    name: '示例服务中心四',
    district: '120116',
    address: '示例大街 4 号（示例地址，请勿前往）',
    hours: '示例：工作日 9:00–16:30',
    phone: '',
    services: ['new', 'replace', 'unlock'],
    sample: true,
  },
];
