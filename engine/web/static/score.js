// What would the score be? Terms are moved and the score follows, by the arithmetic of engine/rules/scores.py. Nothing is saved.

const ONE = 10n ** 6n; // a term that is met in full
const TOP = 1000n; // 100 points at one digit
const STEP = 10n ** 9n; // from weight times value to the score's own scale
const COLORS = { red: "red", yellow: "yellow", green: "green", accent: "acc" };

function divide(number, divisor) {
  // Half away from zero.
  if (divisor < 0n) [number, divisor] = [-number, -divisor];
  const size = number < 0n ? -number : number;
  const quotient = (2n * size + divisor) / (2n * divisor);
  return number < 0n ? -quotient : quotient;
}

// `values` are BigInts at six digits, null where empty.
export function total(rule, values) {
  let sum = 0n, present = 0n, whole = 0n;
  rule.terms.forEach((term, number) => {
    const weight = BigInt(term.weight), value = values[number];
    whole += weight;
    if (value === null && term.missing === null) return;
    present += weight;
    sum += weight * (value === null ? BigInt(term.missing) : value);
  });
  if (present !== whole) sum = present ? divide(sum * whole, present) : 0n;
  const score = divide(BigInt(rule.base) * ONE + sum, STEP);
  return score < 0n ? 0n : score > TOP ? TOP : score;
}

export function bandOf(rule, score) {
  return rule.bands.find((band) => {
    const low = band.low === null || score > BigInt(band.low) || (band.lowIncluded && score === BigInt(band.low));
    return low && (band.high === null || score < BigInt(band.high) || (band.highIncluded && score === BigInt(band.high)));
  });
}

const words = (score) => `${score / 10n}${score % 10n ? `.${score % 10n}` : ""}`;

export function tryingOut(root) {
  root.querySelectorAll("[data-score]").forEach((card) => {
    const rule = JSON.parse(card.dataset.score);
    const begun = rule.terms.map((term) => (term.value === null ? null : BigInt(term.value)));
    const was = total(rule, begun);
    const values = [...begun];
    const sliders = [...card.querySelectorAll("input[type=range]")];
    const [figure, band, change] = ["figure", "band", "change"].map((name) => card.querySelector(`[data-${name}]`));
    const draw = () => {
      const score = total(rule, values), found = bandOf(rule, score), more = score - was;
      figure.textContent = words(score);
      band.textContent = found ? found.label : "";
      band.className = `dg-tag ${found ? COLORS[found.color] || "" : ""}`;
      band.hidden = !found;
      change.textContent = more ? `${more > 0n ? "+" : "−"}${words(more > 0n ? more : -more)}` : "";
      sliders.forEach((slider) => {
        slider.nextElementSibling.textContent = `${slider.value}%`;
        slider.setAttribute("aria-valuetext", `${slider.value}%`);
      });
    };
    sliders.forEach((slider) => {
      const number = Number(slider.dataset.term), first = slider.value;
      slider.addEventListener("input", () => {
        // Where it stood at first it means the exact value again.
        values[number] = slider.value === first ? begun[number] : (BigInt(slider.value) * ONE) / 100n;
        draw();
      });
    });
    card.querySelector("[data-reset]").addEventListener("click", () => {
      sliders.forEach((slider) => { slider.value = slider.defaultValue; });
      begun.forEach((value, number) => { values[number] = value; });
      draw();
    });
    card.hidden = false;
    draw();
  });
}
