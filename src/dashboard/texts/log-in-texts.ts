import { translations } from '../language';

/** The page that asks for a key. */
export const logInTexts = translations({
  en: {
    title: 'Log in',
    key: 'Key',
    keyHint: 'AUTHENTICATION_API_KEY, DASHBOARD_READ_KEY, or the token of an instance',
    instance: 'Instance',
    instanceHint: "Only with an instance's own token: the name of that instance",
    submit: 'Log in',
    wrong: 'This key opens nothing here. With the token of an instance, name the instance, too.',
    tooMany: 'Too many wrong keys. Wait a few seconds and try again.',
    over: 'You are logged out.',
  },
  'pt-BR': {
    title: 'Entrar',
    key: 'Chave',
    keyHint: 'AUTHENTICATION_API_KEY, DASHBOARD_READ_KEY ou o token de uma instância',
    instance: 'Instância',
    instanceHint: 'Só com o token de uma instância: o nome dessa instância',
    submit: 'Entrar',
    wrong: 'Esta chave não abre nada aqui. Com o token de uma instância, informe também a instância.',
    tooMany: 'Chaves erradas demais. Espere alguns segundos e tente de novo.',
    over: 'Você saiu.',
  },
  es: {
    title: 'Entrar',
    key: 'Clave',
    keyHint: 'AUTHENTICATION_API_KEY, DASHBOARD_READ_KEY o el token de una instancia',
    instance: 'Instancia',
    instanceHint: 'Solo con el token de una instancia: el nombre de esa instancia',
    submit: 'Entrar',
    wrong: 'Esta clave no abre nada aquí. Con el token de una instancia, indique también la instancia.',
    tooMany: 'Demasiadas claves erróneas. Espere unos segundos e inténtelo de nuevo.',
    over: 'Ha cerrado la sesión.',
  },
});
