const zh = {
  name: '公用电脑',
  notice: '公用电脑：您的信息不会留在这台电脑上。',
  end: '结束',
  busy: '正在办理，写入完成后才能结束。',
  asking: '还在使用吗？',
  clearing: '2 分钟没有操作。为了不让别人看到您的信息，本页将在 20 秒后清空。',
  left: (seconds: number): string => `还有 ${seconds} 秒`,
  stay: '继续使用',
  unfinished: '没有办完的更新会留下进度，下次插上同一个 USBKEY 可以接着办。',
};
const en: typeof zh = {
  name: 'Public computer',
  notice: 'Public computer: nothing about you stays on it.',
  end: 'Finish',
  busy: 'Work is going on; you can finish once it is written.',
  asking: 'Are you still there?',
  clearing:
    'Nothing has been done for 2 minutes. So that nobody else sees your data, this page is cleared in 20 seconds.',
  left: (seconds: number): string => `${seconds} s left`,
  stay: 'Go on',
  unfinished: 'An unfinished renewal keeps its progress, and goes on when the same USBKEY is plugged in again.',
};
export const kioskWords = { 'zh-CN': zh, en };
