// Who owns the company of a row: the three readings as bands, and the holdings that prove them as nested lists.
const FULL = 100e6;
const MOST_HOLDINGS = 400;
const DEEPEST = 24;

/** Return a band between 0 and 100 % with the threshold as a mark; what it says stands beside it as text. */
function band(least, greatest, threshold, verdict) {
  const x = (share) => `${(Math.min(share, FULL) / FULL) * 100}%`;
  return draw('svg', {class: `band ${verdict}`, 'aria-hidden': 'true', focusable: 'false'},
    draw('rect', {class: 'track', y: 4, width: '100%', height: 6, rx: 3}),
    draw('rect', {class: 'held', x: 0, y: 4, width: x(least), height: 6, rx: 3}),
    draw('rect', {class: 'maybe', x: x(least), y: 4, width: x(greatest - least), height: 6, rx: 3}),
    draw('rect', {class: 'threshold', x: x(threshold), y: 0, width: 2, height: 14}));
}

/** Return the readings as rows of a description list. */
function readingsOf([, , [threshold], readings]) {
  const list = make('dl', 'readings');
  Object.values(READINGS).forEach((title, place) => {
    const [verdict, least, greatest] = readings[place];
    const words = text(verdict);
    list.append(make('div', '', make('dt', '', title),
      make('dd', '', band(least, greatest, threshold, words),
        make('span', `verdict ${words}`, words), `, ${percent(least, greatest)}`)));
  });
  return list;
}

/** Return an entity as text, with its id where that is not its name. */
function entity(place) {
  const {id, name} = entityOf(place);
  return name === id ? [make('bdi', 'name', name)] : [make('bdi', 'name', name), ' ', make('bdi', 'id', id)];
}

function holding([holder, , least, greatest, since, country, source], again) {
  const line = make('div', country < 0 ? 'holding' : 'holding restricted',
    make('span', 'share', percent(least, greatest)), ' ', ...entity(holder));
  if (country >= 0) line.append(' ', make('span', 'where', `${text(country)}, restricted`));
  const details = [since < 0 ? '' : `since ${text(since)}`, source < 0 ? '' : `source: ${text(source)}`];
  const known = details.filter((detail) => detail !== '').join('; ');
  if (known) line.append(' ', make('bdi', 'detail', known));
  if (again) line.append(' ', make('span', 'detail', '(its holders: see above)'));
  return line;
}

/** Return the holders of a company below it, level by level; each company's holders stand once. */
function treeOf([root, , , , , edges]) {
  const byHeld = new Map();
  for (const place of edges) {
    const edge = data.edges[place];
    byHeld.has(edge[1]) ? byHeld.get(edge[1]).push(edge) : byHeld.set(edge[1], [edge]);
  }
  const drawn = new Set([root]);
  let left = MOST_HOLDINGS;
  const top = make('ul', 'tree');
  const waiting = [[top, root, 1]];
  while (waiting.length) {
    const [list, held, depth] = waiting.pop();
    const below = [];
    for (const edge of (byHeld.get(held) ?? []).slice(0, left)) {
      left -= 1;
      const [holder] = edge;
      const more = byHeld.has(holder);
      const item = make('li', '', holding(edge, more && drawn.has(holder)));
      list.append(item);
      if (more && !drawn.has(holder) && depth < DEEPEST) {
        drawn.add(holder);
        const inner = make('ul', '');
        item.append(inner);
        below.push([inner, holder, depth + 1]);
      }
    }
    waiting.push(...below.reverse());
  }
  return {top, missing: edges.length - (MOST_HOLDINGS - left)};
}

/** Return a section on who owns a company. */
function ownershipSection(place) {
  const found = data.ownership[place];
  const [root, [match, score], [threshold, strict], , complete] = found;
  const section = make('section', 'ownership');
  section.append(make('h3', '', 'Who owns ', ...entity(root)), make('p', 'note',
    `Restricted holders may not have ${strict ? `more than ${percent(threshold)}` : `${percent(threshold)} or more`}. `,
    text(match) === 'name'
      ? `The company was found by its name alone (${score} of 100), so what is proved of it counts as possible.`
      : 'The company was found by an identifier.'));
  section.append(readingsOf(found));
  const {top, missing} = treeOf(found);
  if (top.childElementCount) section.append(make('h4', '', 'Holdings that show it'), top);
  if (missing) section.append(make('p', 'note', `${number.format(missing)} more holdings are in changes.jsonl.`));
  if (!complete) section.append(make('p', 'note', 'The proof is not complete: too many stakes take part.'));
  return section;
}
