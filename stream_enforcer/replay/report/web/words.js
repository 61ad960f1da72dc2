// How the table writes money, times and shares, and makes elements. Values become text, never markup.
const SVG = 'http://www.w3.org/2000/svg';
const LOCALE = 'en-US';
const dollars = new Intl.NumberFormat(LOCALE, {style: 'currency', currency: 'USD', maximumFractionDigits: 0});
const cents = new Intl.NumberFormat(LOCALE, {style: 'currency', currency: 'USD'});
const number = new Intl.NumberFormat(LOCALE);

const KINDS = {
  suspended: 'Newly suspended',
  lifted: 'Lifted',
  review: 'Now for review',
  cleared: 'No longer for review',
  other: 'Other',
};
const ACTIONS = {allow: 'Allowed', suspend: 'Suspended'};
const READINGS = {control: 'control', effective: 'effective share', single_owner: 'best single owner'};

/** Return an element with classes and children; text is put in as text. */
function make(name, classes, ...children) {
  const element = document.createElement(name);
  if (classes) element.className = classes;
  element.append(...children);
  return element;
}

/** Return an element of SVG with attributes. */
function draw(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Write micro-dollars, less than a hundred dollars to the cent. */
function money(micros) {
  if (micros > 0 && micros < 10_000) return '< $0.01';
  const value = micros / 1e6;
  return (value > 0 && value < 100 ? cents : dollars).format(value);
}

/** Write milliseconds since 1970 as a day and a time of UTC. */
function instant(milliseconds) {
  const [day, time] = new Date(milliseconds).toISOString().split('T');
  return `${day} ${time.slice(0, 8)}`;
}

/** Write a share in millionths of a percent. */
function percent(least, greatest = least) {
  const ends = least === greatest ? [least] : [least, greatest];
  return `${ends.map((share) => String(share / 1e6)).join('\u2013')}\u00a0%`;
}
