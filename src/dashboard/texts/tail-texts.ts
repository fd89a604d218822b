import { translations } from '../language';

/** Events as they come. */
export const tailTexts = translations({
  en: {
    title: 'Live tail',
    filter: 'Filter',
    none: 'No event of this kind came within the last 15 minutes.',
    onlyNewest: (count: string) => `More events come than are shown: these are the newest ${count}.`,
    came: 'Time',
    happened: 'What happened',
    hint: 'The newest on top, a second or two after they came. Hidden, the page stands still.',
  },
  'pt-BR': {
    title: 'Ao vivo',
    filter: 'Filtrar',
    none: 'Nenhum evento assim chegou nos últimos 15 minutos.',
    onlyNewest: (count: string) =>
      `Chegam mais eventos do que são mostrados: estes são os ${count} mais novos.`,
    came: 'Hora',
    happened: 'O que aconteceu',
    hint: 'Os mais novos em cima, um ou dois segundos depois de chegarem. Oculta, a página fica parada.',
  },
  es: {
    title: 'En vivo',
    filter: 'Filtrar',
    none: 'Ningún evento así llegó en los últimos 15 minutos.',
    onlyNewest: (count: string) =>
      `Llegan más eventos de los que se muestran: estos son los ${count} más nuevos.`,
    came: 'Hora',
    happened: 'Qué pasó',
    hint: 'Los más nuevos arriba, uno o dos segundos después de llegar. Oculta, la página se detiene.',
  },
});
