// Pages work without this script wherever possible.
'use strict';

/** An element with properties and children. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Calls `action` once nothing has happened for a moment. */
function settled(action, milliseconds = 250) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(action, milliseconds); };
}

// Validation while typing, by the service itself, so that it says what saving would say.

function showNotes(form, notes) {
  for (const list of form.querySelectorAll('[data-notes]')) {
    const own = notes.filter((note) => note.field === list.dataset.notes);
    list.replaceChildren(...own.map(noteItem));
    const field = form.elements[list.dataset.notes];
    const isWrong = own.some((note) => !note.is_warning);
    if (field instanceof HTMLElement) {
      if (isWrong) field.setAttribute('aria-invalid', 'true'); else field.removeAttribute('aria-invalid');
    }
  }
  form.dataset.validated = String(Number(form.dataset.validated || 0) + 1);
}

function noteItem(note) {
  const item = make('li', { className: note.is_warning ? 'warning' : '' });
  if (note.is_warning) item.append(make('span', { className: 'kind', textContent: 'Warning ' }));
  const place = (note.line ? `line ${note.line}: ` : '') + (note.within ? `\`${note.within}\`: ` : '');
  item.append(place + note.message);
  return item;
}

function validateWhileTyping(form) {
  let latest = 0;
  const validate = async () => {
    const mine = ++latest;
    try {
      const body = new URLSearchParams(new FormData(form));
      const answer = await fetch(form.dataset.validate, { method: 'POST', body });
      if (!answer.ok || mine !== latest) return;
      showNotes(form, (await answer.json()).notes);
    } catch {
      // Without an answer the notes stay as they are; saving will show the faults.
    }
  };
  form.addEventListener('input', settled(validate));
  form.addEventListener('change', settled(validate));
}

// A map as text and as a table, kept in sync.

/**
 * The members of a flat JSON object, as [key, JSON text of the value], in the order of the text.
 *
 * `JSON.parse` checks the text but does not give the members: it keeps one of two equal keys and moves
 * keys that look like numbers to the front. What somebody entered must not vanish before the service
 * has said what is wrong with it.
 */
function readMap(text) {
  const plain = tidied(text);
  if (plain.trim() === '') return [];
  const map = JSON.parse(plain);
  if (map === null || typeof map !== 'object' || Array.isArray(map)) throw new Error('not a map');
  const nested = Object.values(map).some((value) => value !== null && typeof value === 'object');
  const tokens = plain.match(/"(?:[^"\\]|\\.)*"|[^\s{}[\]:,"]+|[{}[\]]/g).slice(1, -1);
  // Of equal keys `map` has only the last value, so an earlier one may be nested without being seen.
  if (nested || tokens.some((token) => /^[{}[\]]$/.test(token))) throw new Error('not flat');
  return tokens.flatMap((token, at) => (at % 2 ? [] : [[JSON.parse(token), tokens[at + 1]]]));
}

/**
 * A pasted text without fence, spaces of web pages and commas at the end, as the service reads it. It also reads
 * comments, which stay here: a table would lose them.
 */
function tidied(text) {
  const inner = text.replace(/^[\s\uFEFF]*```\w*/, '').replace(/```[\s\uFEFF]*$/, '');
  const extra = /"(?:[^"\\]|\\.)*"|[\u00A0\u200B\u2028\u2029\u202F\u3000\uFEFF]|,(?=\s*[}\]])/g;
  return inner.replace(extra, (part) => (part[0] === '"' ? part : part === ',' ? '' : ' '));
}

/** The text of a map, one member per line. */
function writeMap(members) {
  const lines = members.map(([key, value]) => `  ${JSON.stringify(key)}: ${value}`);
  return lines.length ? `{\n${lines.join(',\n')}\n}` : '';
}

function enhanceMap(box) {
  const area = box.querySelector('textarea');
  const tools = box.querySelector('.tools');
  const toggle = tools.querySelector('[data-table]');
  const name = box.dataset.map;
  const table = make('div', { hidden: true, className: 'scroll' });
  area.after(table);
  tools.hidden = false;

  const write = () => {
    const rows = [...table.querySelectorAll('tbody tr')].map((row) =>
      [...row.querySelectorAll('input')].map((input) => input.value));
    const filled = rows.filter(([key, value]) => key !== '' || value !== '');
    area.value = writeMap(filled.map(([key, value]) => [key, JSON.stringify(value)]));
    area.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const addRow = (body, key, value) => {
    const cell = (label, text) => {
      const input = make('input', { type: 'text', value: text });
      input.setAttribute('aria-label', `${name}: ${label}`);
      input.addEventListener('input', (event) => { event.stopPropagation(); write(); });
      // Enter would otherwise save the whole form.
      input.addEventListener('keydown', (event) => { if (event.key === 'Enter') event.preventDefault(); });
      return make('td', {}, input);
    };
    const remove = make('button', { type: 'button', className: 'quiet', textContent: 'Remove' });
    remove.setAttribute('aria-label', `${name}: remove ${key || 'the row'}`);
    const row = make('tr', {}, cell('name', key), cell('value', value), make('td', {}, remove));
    remove.addEventListener('click', () => { row.remove(); write(); });
    body.append(row);
    return row;
  };
  const draw = () => {
    let members;
    try {
      members = readMap(area.value).map(([key, value]) => [key, JSON.parse(value)]);
      if (members.some(([, value]) => typeof value !== 'string')) throw new Error('not only texts');
    } catch {
      const message = 'This cannot be shown as a table: it is not a map of texts yet, or has comments in it.';
      table.replaceChildren(make('p', { className: 'muted', textContent: message }));
      return;
    }
    const body = make('tbody');
    for (const [key, value] of members) addRow(body, key, value);
    const add = make('button', { type: 'button', className: 'quiet', textContent: 'Add a row' });
    add.addEventListener('click', () => addRow(body, '', '').querySelector('input').focus());
    const head = make('tr', {}, make('th', { scope: 'col', textContent: 'Name' }),
      make('th', { scope: 'col', textContent: 'Value' }), make('th'));
    table.replaceChildren(make('table', {}, make('thead', {}, head), body), add);
  };

  tools.querySelector('[data-format]').addEventListener('click', () => {
    try {
      area.value = writeMap(readMap(area.value));
    } catch {
      // What is not JSON stays as it is; the notes say where the fault is.
    }
    area.dispatchEvent(new Event('input', { bubbles: true }));
  });
  toggle.addEventListener('click', () => {
    table.hidden = !table.hidden;
    toggle.setAttribute('aria-expanded', String(!table.hidden));
    draw();
  });
  area.addEventListener('input', () => {
    if (!table.hidden && !table.contains(document.activeElement)) draw();
  });
}

// Shows only the fields of the chosen type.

function enhanceSwitch(select) {
  const scope = select.closest('section');
  const update = () => {
    for (const part of scope.querySelectorAll('[data-case]')) part.hidden = part.dataset.case !== select.value;
  };
  select.addEventListener('change', update);
  update();
}

document.querySelectorAll('[data-map]').forEach(enhanceMap);
document.querySelectorAll('[data-switch]').forEach(enhanceSwitch);
document.querySelectorAll('form[data-validate]').forEach(validateWhileTyping);
for (const form of document.querySelectorAll('form[data-busy]')) {
  form.addEventListener('submit', () => {
    const button = form.querySelector('button[type=submit]');
    button.disabled = true;
    button.textContent = form.dataset.busy;
  });
}
