import type { FaultEnvironment } from '../../diagnosis/fault-code.ts';

type Stage = 'browser' | 'network' | 'usbkey';
const zh = {
  title: (code: string): string => `故障码 ${code}`,
  unknown: '没有这个故障码。请核对一遍，或致电热线。',
  sentence: '致电热线时，报这个码，对方就知道出了什么事。',
  means: '现在的情况',
  step: '在哪一步',
  next: '怎么办',
  computerName: '电脑',
  stages: { browser: '浏览器', network: '网络', usbkey: '读取 USBKEY' } as Record<Stage, string>,
  inRenewal: (step: string): string => `办理证书，${step}`,
  systems: { windows: 'Windows', mac: 'macOS', linux: 'Linux', phone: '手机或平板', other: '其他系统' } as Record<
    FaultEnvironment['system'],
    string
  >,
  browsers: {
    chrome: 'Chrome',
    edge: 'Edge',
    otherChromium: '其他浏览器（Chromium 内核）',
    other: '其他浏览器',
  } as Record<FaultEnvironment['browser'], string>,
  ways: { usb: 'USB 方式连接', hid: 'HID 方式连接', none: '' } as Record<FaultEnvironment['way'], string>,
  computer: (system: string, browser: string, way: string): string => [system, browser, way].filter(Boolean).join('，'),
  aloud: '打电话时可以照着念',
  script: (code: string, happened: string, where: string | undefined): string =>
    `您好，我在 CA证书在线服务平台办证书${where === undefined ? '' : `，停在“${where}”`}。页面上说：${happened}故障码是 ${code}。`,
  later: '稍后',
  toCertificates: '再试一次',
  toCheck: '做一次系统检测',
  print: '打印，带到服务中心',
  other: '查别的故障码',
};
const en: typeof zh = {
  title: (code: string): string => `Fault code ${code}`,
  unknown: 'There is no such code. Check it, or call the hot-line.',
  sentence: 'Read this code out on the hot-line and they know what happened.',
  means: 'How things stand',
  step: 'At which step',
  next: 'What to do',
  computerName: 'Computer',
  stages: { browser: 'Browser', network: 'Network', usbkey: 'Reading the USBKEY' },
  inRenewal: (step: string): string => `Renewal, ${step}`,
  systems: { windows: 'Windows', mac: 'macOS', linux: 'Linux', phone: 'Phone or tablet', other: 'Another system' },
  browsers: { chrome: 'Chrome', edge: 'Edge', otherChromium: 'Another browser (Chromium)', other: 'Another browser' },
  ways: { usb: 'connected over USB', hid: 'connected over HID', none: '' },
  computer: (system: string, browser: string, way: string): string => [system, browser, way].filter(Boolean).join(', '),
  aloud: 'To read out on the telephone',
  script: (code: string, happened: string, where: string | undefined): string =>
    `I am on the CA certificate service site${where === undefined ? '' : `, stopped at “${where}”`}. The page says: ${happened} The fault code is ${code}.`,
  later: 'later',
  toCertificates: 'Try again',
  toCheck: 'Run the system check',
  print: 'Print for the service centre',
  other: 'Look up another code',
};
export const code = { 'zh-CN': zh, en };
