import type { PackRefusal } from '../../service/content-pack.ts';

const zhReasons: Readonly<Record<PackRefusal, string>> = {
  manifest: '清单不合规定',
  olderVersion: '版本比正在用的旧',
  unknownKey: '签名的密钥不在 config.json 里',
  missing: '清单里的文件取不到',
  size: '长度和清单不一致',
  hash: '内容和清单的 SHA-256 不一致',
  signature: '签名不对',
  envelope: '内容包的格式或编号和清单不一致',
  content: '内容不合规定，用 sign-content 可以查到原因',
};
const enReasons: Readonly<Record<PackRefusal, string>> = {
  manifest: 'the manifest is not as it should be',
  olderVersion: 'it is older than the one in use',
  unknownKey: 'its key is not in config.json',
  missing: 'the file that the manifest names could not be fetched',
  size: 'its length is not that of the manifest',
  hash: 'its SHA-256 is not that of the manifest',
  signature: 'its signature is wrong',
  envelope: 'it is not the pack that the manifest announces',
  content: 'its content is not as it should be; sign-content tells where',
};

const zh = {
  kinds: { guidance: '规则内容包', faq: '问答内容包' },
  own: '在用本站自带的内容',
  version: (version: number): string => `在用第 ${version} 版`,
  checked: (time: string): string => `，${time} 查过`,
  reasons: zhReasons,
  refused: (version: number | undefined, why: string, code: string): string =>
    `有${version === undefined ? '一版' : `第 ${version} 版`}没有采用：${why}（${code}）。正在用的内容没有变化。`,
};
const en: typeof zh = {
  kinds: { guidance: 'Rules', faq: 'Questions' },
  own: 'The site’s own content is in use',
  version: (version) => `Version ${version} is in use`,
  checked: (time) => `, checked ${time}`,
  reasons: enReasons,
  refused: (version, why, code) =>
    `${version === undefined ? 'A version' : `Version ${version}`} was not taken: ${why} (${code}). What is in use has not changed.`,
};
export const contentStateWords = { 'zh-CN': zh, en };
