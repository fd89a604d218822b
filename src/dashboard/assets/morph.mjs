/**
 * Makes one part of the page like another one, and changes only what differs: what has the focus, what is typed and what is
 * unfolded stays as it is. Nothing is run by it: scripts that come this way are never started.
 */
export function morph(from, to) {
  const wanted = [...to.childNodes];
  for (const [index, next] of wanted.entries()) {
    const present = from.childNodes[index];
    if (present === undefined) from.append(next);
    else if (!isSameKind(present, next)) present.replaceWith(next);
    else if (present.nodeType === Node.ELEMENT_NODE) morphElement(present, next);
    else if (present.nodeValue !== next.nodeValue) present.nodeValue = next.nodeValue;
  }
  while (from.childNodes.length > wanted.length) from.lastChild.remove();
}

function isSameKind(one, other) {
  return one.nodeName === other.nodeName && one.id === other.id;
}

function morphElement(present, next) {
  // What a script drew, and a time that is shown in the zone of the reader, stay where they are about the same.
  if (present.hasAttribute('data-keep')) return;
  if (present.nodeName === 'TIME' && present.dateTime === next.dateTime) return;
  for (const { name, value } of next.attributes)
    if (present.getAttribute(name) !== value) present.setAttribute(name, value);
  for (const { name } of [...present.attributes])
    if (!next.hasAttribute(name) && !isOfReader(present, name)) present.removeAttribute(name);
  morph(present, next);
}

function isOfReader(element, name) {
  return element.nodeName === 'DETAILS' && name === 'open';
}
