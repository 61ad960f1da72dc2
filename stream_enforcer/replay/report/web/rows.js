// The data of the page: columns of places in lists of what repeats, as `columns.py` packs them.
const data = JSON.parse(document.getElementById('data').textContent);
const {columns, strings} = data;
const total = columns.account.length;

/** Return the text at a place, or nothing where there is none. */
function text(place) {
  return place < 0 ? '' : strings[place];
}

function kindOf(row) {
  return data.kinds[columns.kind[row]];
}

/** Return where an account stands for a side. */
function sideOf(row, side) {
  const [action, review, reasons] = data.outcomes[columns[side][row]];
  const since = columns[`${side}Since`][row];
  return {
    action: ACTIONS[data.actions[action]] ?? 'Undecided',
    review: review === 1,
    reasons: reasons.map(text),
    since: since === null ? null : data.earliest + since,
  };
}

function standing(side) {
  return side.review ? `${side.action}, for review` : side.action;
}

/** Return where an account stands for both sides, in a line. */
function outcomes(row) {
  return `${standing(sideOf(row, 'old'))} \u2192 ${standing(sideOf(row, 'new')).toLowerCase()}`;
}

const reasonsOfPair = new Map();

/** Return the codes of a row's reasons: those gone, those come, and all; worked out once for equal rows. */
function reasonsOf(row) {
  const key = columns.old[row] * data.outcomes.length + columns.new[row];
  let found = reasonsOfPair.get(key);
  if (!found) {
    const [was, is] = [sideOf(row, 'old').reasons, sideOf(row, 'new').reasons];
    found = {
      gone: was.filter((code) => !is.includes(code)),
      come: is.filter((code) => !was.includes(code)),
      all: [...new Set([...was, ...is])],
    };
    found.words = [...found.come.map((code) => `+ ${code}`), ...found.gone.map((code) => `\u2212 ${code}`)];
    reasonsOfPair.set(key, found);
  }
  return found;
}

/** Return the name of an entity where it is known, and its id. */
function entityOf(place) {
  const name = data.names[place];
  return {id: text(place), name: name === undefined ? text(place) : text(name)};
}

/** Return the company of a row, or nothing. */
function companyOf(row) {
  const place = columns.ownership[row];
  return place < 0 ? null : entityOf(data.ownership[place][0]);
}

const searched = [];

/** Return what a search looks at, in small letters. */
function searchedOf(row) {
  if (searched[row] === undefined) {
    const company = companyOf(row);
    searched[row] = [columns.account[row], ...(company ? [company.id, company.name] : [])].join('\n').toLowerCase();
  }
  return searched[row];
}
