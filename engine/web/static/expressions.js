// Evaluates the expressions that `engine.expressions.browser` writes as JSON, with the meaning they have on the server.
//
//   evaluate(expression, values, context)
//
// `values` are stored values by field name or read key: integers as numbers, BigInts or decimal texts, a boolean, a text,
// or null. `context` is {now, timezone, variables, calendar}: `now` in microseconds since 1970, `timezone` an IANA name,
// `calendar` what `working_days` gives, with what `working_time` gives as its `worktime` (null where either is missing). The answer is a stored value:
// BigInt, text, boolean or null.

const LOWEST = -(2n ** 63n);
const HIGHEST = 2n ** 63n - 1n;
const DAY = 86400000000n;
const FIRST_DAY = -719162n;
const LAST_DAY = 2932896n;
const FIRST_INSTANT = (FIRST_DAY + 1n) * DAY;
const LAST_INSTANT = LAST_DAY * DAY - 1n;
const MAX_LENGTH = 100000;
const SPACES = " \t\n\r\u3000\u00a0";

export function evaluate(expression, values, context) {
  const results = [];
  for (const [operation, operands, ...rest] of expression.nodes) {
    results.push(node(operation, operands, rest, results, values, context));
  }
  return results[results.length - 1];
}

function node(operation, operands, rest, results, values, context) {
  switch (operation) {
    case "int": return BigInt(operands);
    case "text": case "bool": return operands;
    case "null": return null;
    case "list": return operands.map(([kind, value]) => (kind === "int" ? BigInt(value) : value));
    case "get": return stored(values[operands], rest[0]);
    case "var": return variable(operands, rest[0], context);
  }
  const known = OPERATIONS[operation];
  if (!known) throw new Error(`unknown operation ${operation}`);
  const args = operands.map((index) => results[index]);
  if (known.strict && args.some((each) => each === null)) return known.predicate ? false : null;
  const found = known.run(args, rest[0], context);
  return typeof found === "bigint" && (found < LOWEST || found > HIGHEST) ? null : found;
}

function stored(value, kind) {
  if (value === undefined || value === null || value === "") return null;
  if (kind === "int") return BigInt(value);
  if (kind === "bool") return Boolean(value);
  if (kind.startsWith("list-")) return value.map((each) => stored(each, kind.slice(5)));
  return value;
}

function variable(name, kind, context) {
  if (name === "now") return BigInt(context.now);
  if (name === "timezone") return context.timezone;
  if (name === "today") return dayOf(BigInt(context.now), context.timezone);
  if (name === "calendar") return context.calendar ?? null;
  return stored((context.variables ?? {})[name], kind);
}

// Numbers. BigInt divides towards zero.

const floorDivide = (a, b) => (a % b !== 0n && (a < 0n) !== (b < 0n) ? a / b - 1n : a / b);
const floorRemainder = (a, b) => a - b * floorDivide(a, b);
const absolute = (a) => (a < 0n ? -a : a);
const halfAway = (a, d) => (a < 0n ? -((-a + d / 2n) / d) : (a + d / 2n) / d);

function divide(a, b, factor) {
  if (b === 0n) return null;
  const top = absolute(a * factor);
  const bottom = absolute(b);
  const size = (2n * top + bottom) / (2n * bottom);
  return a < 0n === b < 0n ? size : -size;
}

function numberText(value, scale) {
  if (!scale) return value.toString();
  const digits = absolute(value).toString().padStart(scale + 1, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function textNumber(text) {
  const found = /^([+-]?)([0-9]{1,12})(?:\.([0-9]{1,6}))?$/.exec(text);
  if (!found || text.includes("\n")) return null;
  const size = BigInt(found[2] + (found[3] ?? "").padEnd(6, "0"));
  return found[1] === "-" ? -size : size;
}

// Texts, counted in code points.

const points = (text) => Array.from(text);
const orNull = (text) => (text === "" ? null : text);

function compareTexts(a, b) {
  const one = points(a);
  const other = points(b);
  for (let at = 0; at < Math.min(one.length, other.length); at++) {
    const difference = one[at].codePointAt(0) - other[at].codePointAt(0);
    if (difference) return difference;
  }
  return one.length - other.length;
}

function trim(text) {
  let start = 0;
  let end = text.length;
  while (start < end && SPACES.includes(text[start])) start++;
  while (end > start && SPACES.includes(text[end - 1])) end--;
  return orNull(text.slice(start, end));
}

const join = (a, b) => orNull(points((a ?? "") + (b ?? "")).slice(0, MAX_LENGTH).join(""));
const size = (stored) => (stored === null ? 0n : BigInt(stored.split("|").length - 2));

// Days and instants.

const fromDay = (day) => new Date(Number(day) * 86400000);
const inDays = (day) => day >= FIRST_DAY && day <= LAST_DAY;

function toDay(year, month, day) {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return BigInt(Math.round(date.getTime() / 86400000));
}

const formats = new Map();

// [year, month, day, hour, minute] on the clocks of a time zone; null outside the calendar.
function local(instant, timezone) {
  if (instant < FIRST_INSTANT || instant > LAST_INSTANT) return null;
  if (!formats.has(timezone)) {
    formats.set(timezone, new Intl.DateTimeFormat("en-US", {
      timeZone: timezone, calendar: "gregory", numberingSystem: "latn", hourCycle: "h23",
      era: "short", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric",
    }));
  }
  const parts = {};
  for (const { type, value } of formats.get(timezone).formatToParts(Number(floorDivide(instant, 1000n)))) parts[type] = value;
  return [parts.year, parts.month, parts.day, parts.hour, parts.minute].map(Number);
}

function dayOf(instant, timezone) {
  const found = local(instant, timezone);
  return found && toDay(found[0], found[1], found[2]);
}

const isoDate = (day) => {
  const date = fromDay(day);
  const pad = (value, length) => String(value).padStart(length, "0");
  return `${pad(date.getUTCFullYear(), 4)}-${pad(date.getUTCMonth() + 1, 2)}-${pad(date.getUTCDate(), 2)}`;
};

const partOf = (read) => ({ strict: true, run: ([day]) => (inDays(day) ? BigInt(read(fromDay(day))) : null) });
const weekday = (day) => floorRemainder(day + 3n, 7n) + 1n;

function startOf(day, unit) {
  if (!inDays(day)) return null;
  if (unit === "week") return day - weekday(day) + 1n;
  const date = fromDay(day);
  const month = { month: date.getUTCMonth(), quarter: Math.floor(date.getUTCMonth() / 3) * 3, year: 0 }[unit];
  return toDay(date.getUTCFullYear(), month + 1, 1);
}

function endOf(day, unit) {
  if (!inDays(day)) return null;
  if (unit === "week") return day + 7n - weekday(day);
  const date = fromDay(day);
  const month = { month: date.getUTCMonth(), quarter: Math.floor(date.getUTCMonth() / 3) * 3 + 2, year: 11 }[unit];
  return toDay(date.getUTCFullYear(), month + 2, 0);
}

function addMonths(day, count) {
  if (!inDays(day)) return null;
  const date = fromDay(day);
  const months = date.getUTCFullYear() * 12 + date.getUTCMonth() + Number(count);
  const year = Math.floor(months / 12);
  const month = months - year * 12;
  if (year < 1 || year > 9999) return null;
  const last = Number(toDay(year, month + 2, 0) - toDay(year, month + 1, 1)) + 1;
  return toDay(year, month + 1, Math.min(date.getUTCDate(), last));
}

function makeDate(year, month, day) {
  if (year < 1n || year > 9999n || month < 1n || month > 12n || day < 1n || day > 31n) return null;
  const found = toDay(Number(year), Number(month), Number(day));
  return fromDay(found).getUTCMonth() + 1 === Number(month) ? found : null;
}

// Working days, as far as the calendar that came with the page goes; null beyond.

function works(day, calendar) {
  return { 1: true, 0: false }[calendar.days[Number(day) - calendar.first]];
}

function workdaysBetween(start, end, calendar) {
  if (start > end) {
    const found = workdaysBetween(end, start, calendar);
    return found === null ? null : -found;
  }
  if (works(start, calendar) === undefined || works(end, calendar) === undefined) return null;
  let count = 0n;
  for (let day = start; day < end; day++) if (works(day, calendar)) count++;
  return count;
}

function addWorkdays(day, count, calendar) {
  const step = count < 0n ? -1n : 1n;
  let left = absolute(count);
  let found = day;
  while (left > 0n) {
    found += step;
    const worked = works(found, calendar);
    if (worked === undefined) return null;
    if (worked) left--;
  }
  return found;
}

// The time of day of an instant on another day: of two such instants the later, for a skipped hour as far behind the jump.

function sameTime(day, instant, timezone) {
  const offsets = [instant, ...[-DAY, 2n * DAY].map((aside) => day * DAY + aside)].map((at) => ahead(at, timezone));
  if (offsets.includes(null)) return null;
  const shown = day * DAY + floorRemainder(instant + offsets[0], DAY);
  const possible = offsets.slice(1).map((offset) => shown - offset);
  const fitting = possible.filter((at, index) => ahead(at, timezone) === offsets[index + 1]);
  return (fitting.length ? fitting : possible).reduce((one, other) => (one > other ? one : other));
}

// How far the clocks of a time zone are ahead of UTC at an instant.
function ahead(instant, timezone) {
  const found = local(instant, timezone);
  if (!found) return null;
  const [year, month, day, hour, minute] = found;
  const minutes = toDay(year, month, day) * 1440n + BigInt(hour * 60 + minute);
  return (minutes - floorDivide(instant, 60000000n)) * 60000000n;
}

// Working time, as far as the stretches that came with the page go; null beyond.

function worktime(calendar) {
  const known = calendar.worktime;
  if (!known) return null;
  if (!known.rows) {
    let before = 0n;
    known.rows = known.stretches.map((edges) => {
      const [since, until] = edges.map(BigInt);
      const row = { since, until, before };
      before += until - since;
      return row;
    });
    known.from = BigInt(known.first);
    known.to = BigInt(known.last);
    known.whole = before;
  }
  return known;
}

// The last row of which `holds` is true; those come first.
function lastRow(rows, holds) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(rows[middle])) low = middle + 1;
    else high = middle;
  }
  return rows[low - 1];
}

function workedBefore(at, known) {
  if (!known || at < known.from || at > known.to) return null;
  const row = lastRow(known.rows, (each) => each.since <= at);
  return row ? row.before + ((at < row.until ? at : row.until) - row.since) : 0n;
}

function worktimeBetween(start, end, calendar) {
  const known = worktime(calendar);
  const [first, last] = [start, end].map((at) => workedBefore(at, known));
  return first === null || last === null ? null : last - first;
}

function addWorktime(start, span, calendar) {
  if (span === 0n) return start;
  const known = worktime(calendar);
  const before = workedBefore(start, known);
  if (before === null) return null;
  const wanted = before + span;
  if (wanted < 0n || wanted > known.whole) return null;
  const row = lastRow(known.rows, (each) => (span > 0n ? each.before < wanted : each.before <= wanted));
  return row.since + wanted - row.before;
}

const strict = (run) => ({ strict: true, run });
const predicate = (run) => ({ strict: true, predicate: true, run });
const free = (run) => ({ strict: false, run });
const narrowed = (round) => strict(([a], [divisor]) => round(a, BigInt(divisor)));

const OPERATIONS = {
  neg: strict(([a]) => -a),
  add: strict(([a, b]) => a + b),
  sub: strict(([a, b]) => a - b),
  mul: strict(([a, b]) => a * b),
  widen: strict(([a], [factor]) => a * BigInt(factor)),
  mul_narrow: strict(([a, b], [divisor]) => halfAway(a * b, BigInt(divisor))),
  narrow: narrowed(halfAway),
  narrow_up: narrowed((a, d) => (a < 0n ? floorDivide(a, d) : -floorDivide(-a, d))),
  narrow_down: narrowed((a, d) => a / d),
  narrow_floor: narrowed(floorDivide),
  whole_days: strict(([a]) => floorDivide(a, DAY)),
  div: strict(([a, b], [factor]) => divide(a, b, BigInt(factor))),
  mod: strict(([a, b]) => (b === 0n ? null : floorRemainder(a, b))),
  abs: strict(([a]) => absolute(a)),
  power: strict(([a], [exponent, divisor]) => halfAway(a ** BigInt(exponent), BigInt(divisor))),
  lesser: strict(([a, b]) => (a <= b ? a : b)),
  greater: strict(([a, b]) => (a >= b ? a : b)),
  lesser_text: strict(([a, b]) => (compareTexts(a, b) <= 0 ? a : b)),
  greater_text: strict(([a, b]) => (compareTexts(a, b) >= 0 ? a : b)),
  small: strict(([a], [limit]) => (absolute(a) <= BigInt(limit) ? a : null)),
  number_of_boolean: strict(([a]) => (a ? 1n : 0n)),
  lt: predicate(([a, b]) => a < b),
  le: predicate(([a, b]) => a <= b),
  gt: predicate(([a, b]) => a > b),
  ge: predicate(([a, b]) => a >= b),
  text_lt: predicate(([a, b]) => compareTexts(a, b) < 0),
  text_le: predicate(([a, b]) => compareTexts(a, b) <= 0),
  text_gt: predicate(([a, b]) => compareTexts(a, b) > 0),
  text_ge: predicate(([a, b]) => compareTexts(a, b) >= 0),
  eq: free(([a, b]) => a === b),
  is_null: free(([a]) => a === null),
  and: free((all) => all.every(Boolean)),
  or: free((all) => all.some(Boolean)),
  not: free(([a]) => !a),
  if: free(([condition, then, otherwise]) => (condition ? then : otherwise)),
  coalesce: free((all) => all.find((each) => each !== null) ?? null),
  in: free(([a, listed]) => listed.includes(a)),
  in_set: predicate(([a, listed]) => listed.includes(a)),
  join: free(([a, b]) => join(a, b)),
  join_both: strict(([a, b]) => join(a, b)),
  upper: strict(([a]) => a.replace(/[a-z]/g, (letter) => letter.toUpperCase())),
  lower: strict(([a]) => a.replace(/[A-Z]/g, (letter) => letter.toLowerCase())),
  trim: strict(([a]) => trim(a)),
  left: strict(([a, count]) => (count > 0n ? orNull(points(a).slice(0, Number(count)).join("")) : null)),
  right: strict(([a, count]) => (count > 0n ? orNull(points(a).slice(-Number(count)).join("")) : null)),
  middle: strict(([a, start, count]) =>
    start >= 1n && count >= 1n ? orNull(points(a).slice(Number(start) - 1, Number(start - 1n + count)).join("")) : null),
  length: free(([a]) => BigInt(points(a ?? "").length)),
  contains: predicate(([a, part]) => a.includes(part)),
  starts_with: predicate(([a, part]) => a.startsWith(part)),
  ends_with: predicate(([a, part]) => a.endsWith(part)),
  number_text: strict(([a], [scale]) => numberText(a, Number(scale))),
  text_number: strict(([a]) => textNumber(a)),
  has: predicate(([set, option]) => set.includes(`|${option}|`)),
  count_choices: free(([set]) => size(set)),
  count_files: free(([files]) => BigInt(files === null ? 0 : (typeof files === "string" ? JSON.parse(files) : files).length)),
  day_of: strict(([instant, timezone]) => dayOf(instant, timezone)),
  hour_of: strict(([instant, timezone]) => {
    const found = local(instant, timezone);
    return found && BigInt(found[3]);
  }),
  instant_text: strict(([instant, timezone]) => {
    const found = local(instant, timezone);
    const two = (value) => String(value).padStart(2, "0");
    return found && `${isoDate(toDay(found[0], found[1], found[2]))} ${two(found[3])}:${two(found[4])}`;
  }),
  date_text: strict(([day]) => (inDays(day) ? isoDate(day) : null)),
  year: partOf((date) => date.getUTCFullYear()),
  quarter: partOf((date) => Math.floor(date.getUTCMonth() / 3) + 1),
  month: partOf((date) => date.getUTCMonth() + 1),
  day_of_month: partOf((date) => date.getUTCDate()),
  weekday: strict(([day]) => weekday(day)),
  start_of: strict(([day], [unit]) => startOf(day, unit)),
  end_of: strict(([day], [unit]) => endOf(day, unit)),
  within: strict(([day]) => (inDays(day) ? day : null)),
  within_instants: strict(([at]) => (at >= FIRST_INSTANT && at <= LAST_INSTANT ? at : null)),
  add_months: strict(([day, count]) => addMonths(day, count)),
  make_date: strict(([year, month, day]) => makeDate(year, month, day)),
  workdays_between: strict(([start, end, calendar]) => workdaysBetween(start, end, calendar)),
  is_workday: predicate(([day, calendar]) => works(day, calendar) === true),
  add_workdays: strict(([day, count, calendar]) => addWorkdays(day, count, calendar)),
  same_time: strict(([day, instant, timezone]) => sameTime(day, instant, timezone)),
  worktime_between: strict(([start, end, calendar]) => worktimeBetween(start, end, calendar)),
  add_worktime: strict(([start, span, calendar]) => addWorktime(start, span, calendar)),
};
