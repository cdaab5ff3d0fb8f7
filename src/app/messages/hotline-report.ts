const zh = {
  copy: '复制报告',
  download: '下载报告',
  copied: '已复制，可以粘贴给热线。',
  notCopied: '没有复制成功。请选中上面的文字复制，或者下载。',
};
const en: typeof zh = {
  copy: 'Copy the report',
  download: 'Download the report',
  copied: 'Copied; you can paste it for the hot-line.',
  notCopied: 'It could not be copied. Select the text above and copy it, or download it.',
};
export const hotlineReport = { 'zh-CN': zh, en };
