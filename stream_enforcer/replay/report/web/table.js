// The table of accounts: filters and a sort make a list of rows, of which one page is in the document.
const PAGE = 50;
const MOST_CODES = 3;
const NOWHERE = -1;

// In the order in which they stand. `value` is what is sorted by; `greatestFirst` says how a first sort runs.
const COLUMNS = [
  {id: 'account', title: 'Account', value: (row) => columns.account[row]},
  {id: 'change', title: 'Change', value: (row) => columns.kind[row]},
  {id: 'why', title: 'Reasons', value: (row) => reasonsOf(row).words.join(' ')},
  {id: 'outcome', title: 'Outcome', value: outcomes},
  {id: 'country', title: 'Country', value: (row) => text(columns.jurisdiction[row])},
  {id: 'reading', title: 'Reading', value: (row) => text(columns.reading[row])},
  {id: 'first', title: 'First difference', value: (row) => columns.first[row], greatestFirst: true},
  {id: 'cost', title: 'Cost per month', value: (row) => columns.cost[row], greatestFirst: true},
];

const shown = {
  query: '', kind: '', rule: '', jurisdiction: '', reading: '',
  sort: 'cost', descending: true, page: 0, rows: [],
};

const ranksOf = new Map();

/** Return for every row the rank of its value among all values of a column; rows without a value have none. */
function ranks({id, value}) {
  if (!ranksOf.has(id)) {
    const values = Array.from({length: total}, (_, row) => value(row));
    const distinct = [...new Set(values)].filter((one) => one !== '');
    distinct.sort((a, b) => (a < b ? -1 : 1));
    const rank = new Map(distinct.map((one, place) => [one, place]));
    ranksOf.set(id, Int32Array.from(values, (one) => rank.get(one) ?? NOWHERE));
  }
  return ranksOf.get(id);
}

function matches(row, query) {
  return (shown.kind === '' || kindOf(row) === shown.kind)
    && (shown.jurisdiction === '' || text(columns.jurisdiction[row]) === shown.jurisdiction)
    && (shown.reading === '' || text(columns.reading[row]) === shown.reading)
    && (shown.rule === '' || reasonsOf(row).all.includes(shown.rule))
    && (query === '' || searchedOf(row).includes(query));
}

/** Filter and sort; rows without a value come last whichever way the sort runs. */
function select() {
  const query = shown.query.trim().toLowerCase();
  const found = [];
  for (let row = 0; row < total; row += 1) if (matches(row, query)) found.push(row);
  const rank = ranks(COLUMNS.find(({id}) => id === shown.sort));
  const sign = shown.descending ? -1 : 1;
  found.sort((a, b) => {
    if (rank[a] < 0 || rank[b] < 0) return (rank[a] < 0) - (rank[b] < 0) || a - b;
    return sign * (rank[a] - rank[b]) || a - b;
  });
  shown.rows = found;
  shown.page = 0;
}

function cell(id, ...children) {
  return make('td', id, ...children);
}

function codes(row) {
  const {words} = reasonsOf(row);
  const list = make('ul', 'codes', ...words.slice(0, MOST_CODES).map((word) =>
    make('li', '', make('bdi', word.startsWith('+') ? 'code come' : 'code gone', word))));
  if (words.length > MOST_CODES) list.append(make('li', 'note', `${words.length - MOST_CODES} more`));
  return words.length ? list : make('span', 'note', 'the same');
}

function rowOf(row) {
  const kind = kindOf(row);
  const button = make('button', 'opener', make('bdi', '', columns.account[row]));
  button.type = 'button';
  button.setAttribute('aria-expanded', 'false');
  const head = make('th', 'account', button);
  head.scope = 'row';
  const line = make('tr', '', head, cell('change', make('span', `kind ${kind}`, KINDS[kind])), cell('why', codes(row)),
    cell('outcome', outcomes(row)), cell('country', make('bdi', '', text(columns.jurisdiction[row]))), cell('reading', readingName(row)),
    cell('first', instant(data.earliest + columns.first[row])),
    cell('cost number', money(columns.cost[row])));
  button.addEventListener('click', () => toggle(line, button, row));
  return line;
}

/** Open what a row rests on below it, or close it. */
function toggle(line, button, row) {
  const open = button.getAttribute('aria-expanded') === 'true';
  button.setAttribute('aria-expanded', String(!open));
  if (open) {
    document.getElementById(`opened-${row}`).remove();
    button.removeAttribute('aria-controls');
    return;
  }
  const inside = make('td', '', openedRow(row));
  inside.colSpan = COLUMNS.length;
  const below = make('tr', 'below', inside);
  below.id = `opened-${row}`;
  line.after(below);
  button.setAttribute('aria-controls', below.id);
}
