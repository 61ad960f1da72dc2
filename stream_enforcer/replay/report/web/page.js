// What the controls of the table do, and its first showing.
const at = (id) => document.getElementById(id);
const FILTERS = ['kind', 'rule', 'jurisdiction', 'reading'];

function pages() {
  return Math.max(1, Math.ceil(shown.rows.length / PAGE));
}

/** Show the current page, and say what is shown. */
function show() {
  const start = shown.page * PAGE;
  const rows = shown.rows.slice(start, start + PAGE);
  at('rows').replaceChildren(...rows.map(rowOf));
  const of = shown.rows.length === total ? 'accounts' : `matching accounts (${number.format(total)} in all)`;
  at('status').textContent = rows.length
    ? `${number.format(start + 1)}\u2013${number.format(start + rows.length)} of ${number.format(shown.rows.length)} ${of}`
    : 'No account matches.';
  at('page').textContent = `Page ${number.format(shown.page + 1)} of ${number.format(pages())}`;
  // Not `disabled`: a button that has the focus would lose it.
  for (const id of ['first', 'previous']) at(id).setAttribute('aria-disabled', String(shown.page === 0));
  for (const id of ['next', 'last']) at(id).setAttribute('aria-disabled', String(shown.page === pages() - 1));
}

function update() {
  select();
  for (const head of at('heads').children) {
    const sorted = head.dataset.column === shown.sort;
    head.setAttribute('aria-sort', sorted ? (shown.descending ? 'descending' : 'ascending') : 'none');
  }
  at('sorting').value = `${shown.sort} ${shown.descending}`;
  show();
}

function sortBy({id, greatestFirst = false}) {
  shown.descending = shown.sort === id ? !shown.descending : greatestFirst;
  shown.sort = id;
  update();
}

function turn(page) {
  shown.page = Math.min(Math.max(page, 0), pages() - 1);
  show();
}

function option(value, title) {
  const made = make('option', '', title);
  made.value = value;
  return made;
}

/** Fill a choice with what occurs, the most frequent first. */
function offer(id, valuesOf, title = (value) => value) {
  const counts = new Map();
  for (let row = 0; row < total; row += 1) {
    for (const value of valuesOf(row)) if (value !== '') counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const ordered = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  at(id).append(...ordered.map(([value, count]) => option(value, `${title(value)} (${number.format(count)})`)));
}

function makeHeads() {
  for (const column of COLUMNS) {
    const button = make('button', '', column.title);
    button.type = 'button';
    button.addEventListener('click', () => sortBy(column));
    const head = make('th', column.id, button);
    head.scope = 'col';
    head.dataset.column = column.id;
    at('heads').append(head);
    for (const descending of [column.greatestFirst === true, column.greatestFirst !== true]) {
      at('sorting').append(option(`${column.id} ${descending}`, `${column.title}, ${descending ? 'descending' : 'ascending'}`));
    }
  }
}

/** Let the names in the breakdown choose the filter of the table. */
function linkGroups() {
  for (const name of document.querySelectorAll('[data-filter]')) {
    const {filter, value} = name.dataset;
    if (![...at(filter).options].some((one) => one.value === value)) continue;
    const button = make('button', 'link', name.textContent);
    button.type = 'button';
    button.title = 'Show its changed accounts';
    button.addEventListener('click', () => {
      clear();
      at(filter).value = value;
      shown[filter] = value;
      update();
      at('accounts').scrollIntoView();
      at(filter).focus({preventScroll: true});
    });
    name.replaceChildren(button);
  }
}

function clear() {
  for (const id of ['query', ...FILTERS]) {
    at(id).value = '';
    shown[id] = '';
  }
}

function listen() {
  for (const id of FILTERS) {
    at(id).addEventListener('change', () => {
      shown[id] = at(id).value;
      update();
    });
  }
  at('query').addEventListener('input', () => {
    shown.query = at('query').value;
    update();
  });
  at('sorting').addEventListener('change', () => {
    const [id, descending] = at('sorting').value.split(' ');
    Object.assign(shown, {sort: id, descending: descending === 'true'});
    update();
  });
  const form = document.querySelector('form.filters');
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', (event) => {
    event.preventDefault();
    clear();
    update();
  });
  at('first').addEventListener('click', () => turn(0));
  at('previous').addEventListener('click', () => turn(shown.page - 1));
  at('next').addEventListener('click', () => turn(shown.page + 1));
  at('last').addEventListener('click', () => turn(pages() - 1));
}

offer('kind', (row) => [kindOf(row)], (kind) => KINDS[kind]);
offer('rule', (row) => reasonsOf(row).all);
offer('jurisdiction', (row) => [text(columns.jurisdiction[row])]);
offer('reading', (row) => [text(columns.reading[row])], (name) => READINGS[name] ?? name);
makeHeads();
linkGroups();
listen();
at('unscripted').remove();
at('table').hidden = false;
update();
