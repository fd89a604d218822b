/** Languages of the dashboard, as `lang` names them. */
export const LANGUAGES = ['en', 'pt-BR', 'es'] as const;
export type Language = (typeof LANGUAGES)[number];

/** How each calls itself. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  en: 'English',
  'pt-BR': 'Português',
  es: 'Español',
};

/** What a part of the dashboard says, in each language: all have the same words, or it does not compile. */
export type Translations<Words> = Readonly<Record<Language, Words>>;

export function translations<Words>(tables: {
  readonly en: Words;
  readonly 'pt-BR': NoInfer<Words>;
  readonly es: NoInfer<Words>;
}): Translations<Words> {
  return tables;
}

/** Chooses what goes with a number that is written already: 1 is written alike in all languages. */
export function byCount<T>(count: string, one: T, many: T): T {
  return count === '1' ? one : many;
}

const MOST_ACCEPTED = 20;

export function isLanguage(text: string | undefined): text is Language {
  return LANGUAGES.some((language) => language === text);
}

/** The one that a browser asks for most (`Accept-Language`); any Portuguese is Brazil's. */
export function languageOf(accepted: string | undefined): Language {
  const wanted = (accepted ?? '')
    .split(',', MOST_ACCEPTED)
    .map((entry) => {
      const [tag = '', ...parameters] = entry.trim().toLowerCase().split(';');
      const quality = parameters
        .find((each) => each.trim().startsWith('q='))
        ?.trim()
        .slice(2);
      return { tag, quality: quality === undefined ? 1 : Number(quality) || 0 };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
  for (const { tag } of wanted) {
    const found = LANGUAGES.find((language) => language.slice(0, 2).toLowerCase() === tag.split('-')[0]);
    if (found !== undefined) return found;
  }
  return 'en';
}
