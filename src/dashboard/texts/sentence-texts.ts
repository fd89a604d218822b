import { type Html, html, type Piece } from '../html';
import { byCount, translations } from '../language';

interface Refusal {
  readonly who: Html;
  readonly since: Html;
  /** It answered, and did not take it; of what got no answer nobody says that it refuses. */
  readonly isAnswer: boolean;
  /** What keeps deliveries from it, as a clause; empty where the code says it. */
  readonly cause: string;
  readonly why: string;
  readonly waiting: string;
  readonly next: Html | undefined;
}

/** The sentence on top: what is worst, in plain words. */
export const sentenceTexts = translations({
  en: {
    well: 'All well.',
    storeAway: 'Redis does not answer.',
    noWorker: (ago: string | undefined) =>
      ago === undefined
        ? 'No worker has reported yet.'
        : `No worker has reported for ${ago}: nothing is delivered.`,
    difference: (count: string) =>
      `The audit does not add up: ${count} ${byCount(count, 'delivery is', 'deliveries are')} unaccounted for. Run "audit" to see where.`,
    failing: ({ who, since, isAnswer, cause, why, waiting, next }: Refusal) =>
      html`${who} ${isAnswer ? 'has refused' : 'has taken nothing'} since ${since}${cause && `: ${cause}`}${why && ` (${why})`}. ${waiting} ${byCount(waiting, 'waits', 'wait')}${
        next === undefined ? '' : html`; the next attempt is at ${next}`
      }.`,
    suspended: ({ who, since, cause, why, waiting, next }: Refusal) =>
      html`${who} is suspended since ${since}${why && ` (${why})`}${cause && `: ${cause}`}. ${waiting} ${byCount(waiting, 'waits', 'wait')}${
        next === undefined ? ' until somebody resumes it' : html`; it is tried again at ${next}`
      }.`,
    rejecting: ({ who, since, why }: Refusal) =>
      html`${who} has rejected every event since ${since}${why && ` (${why})`}: they become dead letters. Correct its address, or switch on what answers there (such as an n8n workflow), then replay them.`,
    others: (count: string) => `${count} more ${byCount(count, 'does', 'do')} not take deliveries.`,
    unread: (queue: string, messages: string) =>
      `Nobody reads the queue ${queue}: ${messages} ${byCount(messages, 'message waits', 'messages wait')} there.`,
    silent: (instance: string, since: Piece) =>
      html`The instance ${instance} has been silent since ${since}.`,
    otherSilent: (count: string) => `${count} more ${byCount(count, 'is', 'are')} silent.`,
    dead: (count: string) =>
      `${count} ${byCount(count, 'delivery was', 'deliveries were')} given up on within the last hour.`,
    waiting: (count: string, destinations: string) =>
      `${count} ${byCount(count, 'delivery waits for its', 'deliveries wait for their')} next attempt, for ${destinations} ${byCount(destinations, 'destination', 'destinations')}.`,
    byPerson: 'by a person',
    gone: 'it says that it is gone',
    time: 'nothing has succeeded for too long',
  },
  'pt-BR': {
    well: 'Tudo bem.',
    storeAway: 'O Redis não responde.',
    noWorker: (ago: string | undefined) =>
      ago === undefined
        ? 'Nenhum worker deu notícia ainda.'
        : `Nenhum worker dá notícia há ${ago}: nada é entregue.`,
    difference: (count: string) =>
      `A auditoria não fecha: ${byCount(count, 'falta', 'faltam')} ${count} ${byCount(count, 'entrega', 'entregas')}. Rode "audit" para ver onde.`,
    failing: ({ who, since, isAnswer, cause, why, waiting, next }: Refusal) =>
      html`${who} ${isAnswer ? 'recusa' : 'não recebe nada'} desde ${since}${cause && `: ${cause}`}${why && ` (${why})`}. ${waiting} em espera${
        next === undefined ? '' : html`; a próxima tentativa é às ${next}`
      }.`,
    suspended: ({ who, since, cause, why, waiting, next }: Refusal) =>
      html`${who} está suspenso desde ${since}${why && ` (${why})`}${cause && `: ${cause}`}. ${waiting} em espera${
        next === undefined ? ' até que alguém o retome' : html`; nova tentativa às ${next}`
      }.`,
    rejecting: ({ who, since, why }: Refusal) =>
      html`${who} recusa todos os eventos desde ${since}${why && ` (${why})`}: as entregas são abandonadas. Corrija o endereço, ou ative o que responde lá (como um workflow do n8n), e depois reenvie-as.`,
    others: (count: string) => `Mais ${count} não ${byCount(count, 'recebe entregas', 'recebem entregas')}.`,
    unread: (queue: string, messages: string) =>
      `Ninguém lê a fila ${queue}: ${messages} ${byCount(messages, 'mensagem espera', 'mensagens esperam')} lá.`,
    silent: (instance: string, since: Piece) =>
      html`A instância ${instance} está em silêncio desde ${since}.`,
    otherSilent: (count: string) => `Mais ${count} em silêncio.`,
    dead: (count: string) =>
      `O relay desistiu de ${count} ${byCount(count, 'entrega', 'entregas')} na última hora.`,
    waiting: (count: string, destinations: string) =>
      `${count} ${byCount(count, 'entrega espera', 'entregas esperam')} a próxima tentativa, para ${destinations} ${byCount(destinations, 'destino', 'destinos')}.`,
    byPerson: 'por uma pessoa',
    gone: 'ele diz que não existe mais',
    time: 'nada dá certo há tempo demais',
  },
  es: {
    well: 'Todo bien.',
    storeAway: 'Redis no responde.',
    noWorker: (ago: string | undefined) =>
      ago === undefined
        ? 'Ningún worker ha dado señales todavía.'
        : `Ningún worker da señales desde hace ${ago}: no se entrega nada.`,
    difference: (count: string) =>
      `La auditoría no cuadra: ${byCount(count, 'falta', 'faltan')} ${count} ${byCount(count, 'entrega', 'entregas')}. Ejecute "audit" para ver dónde.`,
    failing: ({ who, since, isAnswer, cause, why, waiting, next }: Refusal) =>
      html`${who} ${isAnswer ? 'rechaza' : 'no recibe nada'} desde ${since}${cause && `: ${cause}`}${why && ` (${why})`}. ${waiting} en espera${
        next === undefined ? '' : html`; el próximo intento es a las ${next}`
      }.`,
    suspended: ({ who, since, cause, why, waiting, next }: Refusal) =>
      html`${who} está suspendido desde ${since}${why && ` (${why})`}${cause && `: ${cause}`}. ${waiting} en espera${
        next === undefined ? ' hasta que alguien lo reanude' : html`; nuevo intento a las ${next}`
      }.`,
    rejecting: ({ who, since, why }: Refusal) =>
      html`${who} rechaza todos los eventos desde ${since}${why && ` (${why})`}: las entregas se abandonan. Corrija la dirección, o active lo que responde allí (como un workflow de n8n), y después reenvíelas.`,
    others: (count: string) =>
      byCount(count, 'Otro no recibe entregas.', `Otros ${count} no reciben entregas.`),
    unread: (queue: string, messages: string) =>
      `Nadie lee la cola ${queue}: allí ${byCount(messages, 'espera', 'esperan')} ${messages} ${byCount(messages, 'mensaje', 'mensajes')}.`,
    silent: (instance: string, since: Piece) =>
      html`La instancia ${instance} está en silencio desde ${since}.`,
    otherSilent: (count: string) => byCount(count, 'Otra más en silencio.', `Otras ${count} en silencio.`),
    dead: (count: string) =>
      `El relay renunció a ${count} ${byCount(count, 'entrega', 'entregas')} en la última hora.`,
    waiting: (count: string, destinations: string) =>
      `${count} ${byCount(count, 'entrega espera', 'entregas esperan')} su próximo intento, para ${destinations} ${byCount(destinations, 'destino', 'destinos')}.`,
    byPerson: 'por una persona',
    gone: 'dice que ya no existe',
    time: 'nada funciona desde hace demasiado tiempo',
  },
});
