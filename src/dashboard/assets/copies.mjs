/** Buttons with `data-copy` put the text of the element of that id into the clipboard. */
export function watchCopies(root) {
  root.addEventListener('click', (event) => {
    const button = event.target.closest?.('button[data-copy]');
    const source = button && document.getElementById(button.dataset.copy);
    if (source) void copy(source, button);
  });
}

async function copy(source, button) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = button.dataset.copied;
  } catch {
    // Browsers have a clipboard on secure pages only: elsewhere the text is chosen, and a person copies it.
    const range = document.createRange();
    range.selectNodeContents(source);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  }
}
