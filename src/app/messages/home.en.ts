import type { HomeWords } from './home.ts';

export const en: HomeWords = {
  title: 'What do you need?',
  noKey: 'Plug in your USBKEY and we will see how long the certificate is good for.',
  connect: 'Connect USBKEY',
  present: 'USBKEY is plugged in: check my certificate',
  last: (date: string, end: string): string => `When last read (${date}), the certificate was valid until ${end}.`,
  lastLink: 'See the last result',
  flows: 'The five services',
  flow: {
    renew: ['Expiring soon', 'Renew'],
    upgrade: ['Not upgraded for long', 'Upgrade'],
    unlock: ['Password forgotten or locked', 'Unlock'],
    replace: ['Lost or broken', 'Replace'],
    new: ['First certificate', 'Apply'],
  },
  search: 'Search the questions',
  searchHint: 'Ask, for instance “password locked”',
  searchButton: 'Search',
};
