const zh = {
  title: '预约',
  sentence: '网上预约还没有开放，可以直接到任意服务中心办理。',
  how: '去之前这样准备',
  steps: [
    ['打热线问清楚', '问您要去的服务中心几点开门、现在人多不多。业务指南没有要求预约，以热线答复为准。'],
    ['把材料带齐', '五项业务要带的东西不一样，到“业务指南”里看清单，也可以打印。'],
    ['找最近的网点', '任意一个 CA证书服务中心都可以办，不分主管税务所。'],
  ] as readonly (readonly [string, string])[],
  call: (number: string): string => `致电热线 ${number}`,
  bring: '看要带什么',
  centres: '找服务网点',
};
const en: typeof zh = {
  title: 'Booking',
  sentence: 'Booking online is not open yet; you can go to any service centre without an appointment.',
  how: 'Before you go',
  steps: [
    [
      'Ask the hot-line',
      'When the centre opens and how busy it is. The service guide asks for no appointment; what the hot-line says prevails.',
    ],
    [
      'Bring everything',
      'Each of the five services takes different papers: see the lists in the guide, or print them.',
    ],
    ['Find a centre near you', 'Any CA certificate service centre will do, whichever tax office you belong to.'],
  ],
  call: (number: string): string => `Call ${number}`,
  bring: 'What to bring',
  centres: 'Find a centre',
};
export const appointments = { 'zh-CN': zh, en };
