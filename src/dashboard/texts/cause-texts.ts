import { CAUSE_WORDS } from '../../pipeline/failure-cause';
import { translations } from '../language';

/** Why a destination takes nothing, as a clause about it. */
export const causeTexts = translations<typeof CAUSE_WORDS>({
  en: CAUSE_WORDS,
  'pt-BR': {
    'name-unknown': 'o nome do servidor no endereço não existe',
    'name-servers': 'os servidores de DNS não respondem pelo nome no endereço',
    'nothing-listens': 'nada escuta nesse endereço',
    'cut-off': 'ele encerra a conexão antes de responder',
    'no-answer': 'ele não responde a tempo',
    'no-way': 'a rede não tem caminho até o endereço',
    certificate: 'o certificado TLS dele não é aceito',
    'no-tls': 'não há acordo com ele sobre uma conexão TLS',
    blocked: 'o endereço fica em uma rede que o relay não pode chamar',
    proxy: 'o proxy não chega até ele',
    'bad-answer': 'o que ele responde não é HTTP, ou não tem fim',
  },
  es: {
    'name-unknown': 'el nombre del servidor en la dirección no existe',
    'name-servers': 'los servidores de DNS no responden por el nombre en la dirección',
    'nothing-listens': 'nada escucha en esa dirección',
    'cut-off': 'cierra la conexión antes de responder',
    'no-answer': 'no responde a tiempo',
    'no-way': 'la red no tiene camino hasta la dirección',
    certificate: 'su certificado TLS no se acepta',
    'no-tls': 'no hay acuerdo con él sobre una conexión TLS',
    blocked: 'la dirección está en una red a la que el relay no puede llamar',
    proxy: 'el proxy no llega hasta él',
    'bad-answer': 'lo que responde no es HTTP, o no tiene fin',
  },
});
