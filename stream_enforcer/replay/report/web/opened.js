// What stands below an opened row: both sides, what differs, and who owns the company.

function term(title, ...values) {
  return make('div', '', make('dt', '', title), make('dd', '', ...values));
}

function sideSection(row, side, title) {
  const found = sideOf(row, side);
  const section = make('section', '', make('h3', '', title), make('p', 'standing', standing(found)));
  if (found.since !== null) section.append(make('p', 'note', `since ${instant(found.since)} UTC`));
  if (found.reasons.length) {
    section.append(make('ul', 'codes', ...found.reasons.map((code) => make('li', '', make('bdi', 'code', code)))));
  } else {
    section.append(make('p', 'note', 'No rule matched.'));
  }
  return section;
}

function differenceSection(row) {
  const list = make('dl', 'manifest');
  list.append(term('First difference', `${instant(data.earliest + columns.first[row])} UTC`));
  if (columns.fact[row] >= 0) {
    const [name, value] = data.facts[columns.fact[row]];
    list.append(term('Fact', make('bdi', 'code', name), ': ', make('bdi', '', value)));
  }
  if (columns.jurisdiction[row] >= 0) list.append(term('Country', make('bdi', '', text(columns.jurisdiction[row]))));
  if (columns.reading[row] >= 0) list.append(term('Reading', readingName(row)));
  list.append(term('Cost per month', money(columns.cost[row])));
  return make('section', '', make('h3', '', 'What differs'), list);
}

function readingName(row) {
  const name = text(columns.reading[row]);
  return READINGS[name] ?? name;
}

/** Return what a row rests on. */
function openedRow(row) {
  const panel = make('div', 'opened',
    make('div', 'sides', sideSection(row, 'old', 'Old'), sideSection(row, 'new', 'New'), differenceSection(row)));
  if (columns.ownership[row] >= 0) panel.append(ownershipSection(columns.ownership[row]));
  return panel;
}
