/** Entries of package-lock.json that go into the package and the image, by their path. Paths of further copies differ. */
export function productionOf(lock) {
  return Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true);
}

/** As package managers name one: the path says its name, unless the entry does. */
export function nameOf([path, { name }]) {
  return name ?? path.replace(/^.*node_modules\//, '');
}
