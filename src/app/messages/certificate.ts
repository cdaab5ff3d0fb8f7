const zh = {
  holder: '持有人',
  taxpayerNumber: '纳税人识别号',
  validity: '有效期',
  fromTo: (from: string, to: string): string => `${from} 至 ${to}`,
  status: '吊销状态',
  issuer: '颁发机构',
  algorithm: '算法',
  serialNumber: '证书序列号',
  encryption: '加密证书',
};
const en: typeof zh = {
  holder: 'Holder',
  taxpayerNumber: 'Taxpayer no.',
  validity: 'Valid',
  fromTo: (from: string, to: string): string => `${from} to ${to}`,
  status: 'Revocation',
  issuer: 'Issued by',
  algorithm: 'Algorithm',
  serialNumber: 'Serial number',
  encryption: 'Encryption certificate',
};
export const certificateWords = { 'zh-CN': zh, en };
