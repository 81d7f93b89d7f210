/* A guess first, in words: what a formula gives for each of three scores is chosen from a
   few answers, before the formula runs. */
"use strict";

(() => {
  const { button, define, precise, sentence, tag } = Explorer;

  const FORMAT = "float32";
  const RIGHT = "what is right";
  const QUESTIONS = {
    choose_naive: {
      title: "Guess first: what does the formula give in float32?",
      scores: [100, 89, 0],
      answers: ["nan", "∞", "0", RIGHT],
      compute: (scores) => Library.naive_softmax(scores, FORMAT),
      right: (scores) => Library.softmax(scores, FORMAT),
      what: "the formula gives",
      why:
        "The exponentials of the first two scores are beyond the largest float32, and so is the sum. " +
        "∞ divided by ∞ is nan, and 1 divided by ∞ is 0.",
    },
    choose_log: {
      title: "Guess first: what is the logarithm of each float32 share?",
      scores: [20, 0, -90],
      answers: ["nan", "−∞", "0", RIGHT],
      compute: (scores) => Library.softmax(scores, FORMAT).map(Math.log),
      right: (scores) => Library.log_softmax(scores, FORMAT),
      what: "the logarithm of the share is",
      why:
        "The winner's share has become 1, whose logarithm is 0, and the last share has become 0, " +
        "whose logarithm is −∞.",
    },
  };

  /** Say which answer fits a result; undefined if none does. */
  function fitting(result, right) {
    if (Number.isNaN(result)) return "nan";
    if (!Number.isFinite(result)) return result > 0 ? "∞" : "−∞";
    if (Math.abs(result - right) <= 1e-6 * Math.abs(right)) return RIGHT;
    return result === 0 ? "0" : undefined;
  }

  /** Compute what is asked: a list of { score, result, right, answer }. */
  function solve(name) {
    const { scores, compute, right } = QUESTIONS[name];
    const [results, rights] = [compute(scores), right(scores)];
    return scores.map((score, i) => ({
      score,
      result: results[i],
      right: rights[i],
      answer: fitting(results[i], rights[i]),
    }));
  }

  function build(name) {
    const { title, scores, answers, what, why } = QUESTIONS[name];
    const spoken = sentence();
    const chosen = scores.map(() => undefined);
    const told = scores.map(() => tag("span", { class: "choose-told" }));
    let answered = false;

    const fields = scores.map((score, i) => {
      const options = answers.map((answer) => {
        const input = tag("input", { type: "radio", name: `${name}-${i}`, value: answer });
        input.addEventListener("change", () => {
          chosen[i] = answer;
          update();
        });
        return tag("label", {}, input, ` ${answer}`);
      });
      const legend = tag("legend", {}, `score ${precise(score)}`);
      return tag("fieldset", { class: "choose-field" }, legend, ...options, told[i]);
    });

    function update() {
      const guessed = chosen.filter(Boolean).length;
      if (!answered) {
        told.forEach((element) => element.replaceChildren());
        return spoken.say(`You have guessed ${guessed} of ${scores.length}.`);
      }
      const solved = solve(name);
      solved.forEach(({ result, right, answer }, i) => {
        const mark = chosen[i] === undefined ? "" : chosen[i] === answer ? "✓ " : "✗ ";
        const instead = answer === RIGHT ? "" : `; right is ${precise(right)}`;
        told[i].textContent = `${mark}${precise(result)}${instead}`;
      });
      const results = solved.map(({ result }) => precise(result)).join(", ");
      const hits = solved.filter(({ answer }, i) => chosen[i] === answer).length;
      const score = guessed ? ` You foresaw ${hits} of ${scores.length}.` : "";
      spoken.say(`For ${scores.map((s) => precise(s)).join(", ")} ${what} ${results}. ${why}${score}`);
    }

    function answer() {
      answered = true;
      update();
    }

    function reset() {
      answered = false;
      chosen.fill(undefined);
      fields.forEach((field) => field.querySelectorAll("input").forEach((input) => (input.checked = false)));
      update();
    }

    update();
    const buttons = [button("run it", answer), button("start again", reset)];
    return {
      title,
      parts: [...fields, tag("div", { class: "explorer-buttons" }, ...buttons), spoken.element],
    };
  }

  for (const name of Object.keys(QUESTIONS)) define(name, { solve: () => solve(name) }, () => build(name));
})();
