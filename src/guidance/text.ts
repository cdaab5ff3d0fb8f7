/** The two languages of this site; Chinese comes first everywhere. */
export type Language = 'zh-CN' | 'en';

/** One thing said in both languages. */
export type Text = Readonly<Record<Language, string>>;

export const text = (zh: string, en: string): Text => ({ 'zh-CN': zh, en });
