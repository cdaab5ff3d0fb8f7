/** The five places of the header and of the phone's bottom bar. `also`: addresses that belong to the same place. */
export const menu = [
  { id: 'certificates', href: '/certificates', icon: 'certificate', also: ['/renew'] },
  { id: 'guide', href: '/guide', icon: 'guide', also: ['/guide/', '/faq', '/letter'] },
  { id: 'centres', href: '/centres', icon: 'centre', also: [] },
  { id: 'appointments', href: '/appointments', icon: 'appointment', also: [] },
  { id: 'check', href: '/check', icon: 'check', also: ['/code/'] },
] as const;

export const isHere = (item: (typeof menu)[number], path: string): boolean =>
  path === item.href || item.also.some((start: string) => path.startsWith(start));
