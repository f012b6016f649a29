#include "controller/commands/workflow_document.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <vector>

#include "controller/model/finding.hpp"

namespace zellige::commands {

namespace {

constexpr std::string_view kHead = R"(# Workflows

What Zellige does to machines, step by step. This page is what `zellige docs workflows` prints, from the tables that the
program itself runs by; a test holds the two together.

A workflow is a list of steps, done in order. Each step **looks** at the machine and says *done*, *busy* or *todo*;
looking changes nothing. Only after a *todo* may it **act**, and only where the place is armed and nobody holds the node.
A step whose look says *done* at once, because the machine already is as wanted, sends nothing.

| column | meaning |
|---|---|
| acts | how a later look can tell that the act took effect. *no*: the step only looks. *visible*: the machine shows it. *transient*: it shows only by comparison with what the look before saw. *ledger*: only our own record tells |
| unknown | when nobody knows whether an act took effect (no answer, or the controller died): *looks*, it is looked for, and the act is repeated only if it did not happen; *repeats*, the act may be done twice; *asks*, a person decides (`act.outcome_unknown`) |
| settle | after an act, *todo* must be seen twice, this far apart, before the act is repeated |
| tries | acts on one thing (one package, say), or rounds back to an earlier step; then the run ends with a finding |
| poll | while busy, the next look comes at the latest after this long |
| deadline | of the whole step; time without contact, and time in which the run waits for a person or a budget, does not count. Then the run ends with a finding |
| holds | what it takes from the site's limits, and waits for |

Settling, polling and deadlines are what a machine is given; most are quicker. Findings are in
[operations.md](operations.md#findings).
)";

/// A paragraph in lines of 120 characters.
std::string wrapped(std::string_view text) {
  constexpr std::size_t kWidth = 120;
  std::string out, line;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (!line.empty() && line.size() + 1 + word.size() > kWidth) {
      out += line + '\n';
      line.clear();
    }
    line += (line.empty() ? "" : " ") + std::string(word);
  }
  return out + line + '\n';
}

std::string inWords(Duration duration) {
  const auto seconds = duration.count() / 1000;
  if (duration.count() % 1000 != 0) return fmt::format("{} ms", duration.count());
  if (seconds >= 86'400L * 2 && seconds % 86'400 == 0) return fmt::format("{} d", seconds / 86'400);
  if (seconds >= 3600 && seconds % 3600 == 0) return fmt::format("{} h", seconds / 3600);
  if (seconds >= 60 && seconds % 60 == 0) return fmt::format("{} min", seconds / 60);
  return fmt::format("{} s", seconds);
}

std::string_view nameOfEffect(Effect effect) {
  switch (effect) {
    case Effect::Visible: return "visible";
    case Effect::Transient: return "transient";
    case Effect::Ledger: return "ledger";
  }
  return {};
}

/// As the engine decides it (Turn::asksAPerson).
std::string_view afterUnknown(const Step& step) {
  switch (step.effect) {
    case Effect::Visible: return "looks";
    case Effect::Transient: return step.repeat == Repeat::Safe ? "looks; repeats" : "looks; asks";
    case Effect::Ledger: return step.repeat == Repeat::Safe ? "repeats" : "asks";
  }
  return {};
}

std::string holds(const Needs& needs) {
  std::string out;
  if (needs.duringAct) out += fmt::format("{} while it acts", nameOf(*needs.duringAct));
  if (needs.duringStep)
    out += fmt::format("{}{} until it is done", out.empty() ? "" : ", ", nameOf(*needs.duringStep));
  return out;
}

/// The anchor that Markdown makes of a heading "`firmware.write`".
std::string anchorOf(std::string_view id) {
  std::string out;
  std::copy_if(id.begin(), id.end(), std::back_inserter(out), [](char c) { return c != '.'; });
  return out;
}

std::string row(int number, const Step& step) {
  const bool acts = step.act != nullptr;
  const bool counts = acts || !step.again.empty();
  return fmt::format("| {} | [`{}`](#{}) {} | {} | {} | {} | {} | {} | {} | {} |\n", number, step.id,
                     anchorOf(step.id), step.title, acts ? nameOfEffect(step.effect) : "no",
                     acts ? afterUnknown(step) : "", acts ? inWords(step.settle) : "",
                     counts ? std::to_string(step.maxTries) : "", inWords(step.poll), inWords(step.deadline),
                     holds(step.needs));
}

std::string listed(std::span<const std::string_view> words) {
  std::string out;
  for (const auto word : words) out += fmt::format("{}`{}`", out.empty() ? "" : ", ", word);
  return out;
}

std::string chapter(const Workflow& flow) {
  auto out = fmt::format("\n## `{}`\n\n{}\n", flow.name, wrapped(flow.about));
  out += fmt::format("- For: {}.\n",
                     flow.kind ? fmt::format("`{}` alone", nameOf(*flow.kind)) : "any kind of node");
  std::vector<std::string_view> states;
  for (const auto lifecycle : flow.startsIn) states.push_back(nameOf(lifecycle));
  out += fmt::format("- Starts where the node is: {}.\n", states.empty() ? "anywhere" : listed(states));
  if (flow.qualifies)
    out += "- It qualifies: a node of this kind goes through it when it arrives, and after a repair.\n";
  if (!flow.shows.empty()) out += fmt::format("- Leaves evidence of `{}` on each node.\n", flow.shows);
  if (!flow.parameters.empty()) out += fmt::format("- Is asked for one of: {}.\n", listed(flow.parameters));
  if (!flow.inherits.empty())
    out +=
        "- A new run takes over what the last one, if it ended too early, left unfinished on the machine.\n";
  out +=
      "\n| | step | acts | unknown | settle | tries | poll | deadline | holds "
      "|\n|---|---|---|---|---|---|---|---|---|\n";
  int number = 0;
  for (const auto& step : flow.steps) out += row(++number, step);
  return out;
}

std::string ending(std::string_view when, std::string_view code) {
  const auto* cause = findCause(code);
  return fmt::format("{}: finding `{}`{}. ", when, code, cause ? fmt::format(" ({})", cause->title) : "");
}

std::string description(const Step& step) {
  std::string ends;
  if (step.reaches) ends += fmt::format("Done, the node is `{}`. ", nameOf(*step.reaches));
  if (!step.again.empty()) ends += fmt::format("Todo, the run goes back to `{}`. ", step.again);
  ends += ending("Past its deadline", step.overdue);
  if (step.act || !step.again.empty()) ends += ending("Tries used up", step.spent);
  ends.pop_back();
  return fmt::format("\n### `{}`\n\n{}\n{}", step.id,
                     wrapped(fmt::format("**{}.** {}", step.title, step.about)), wrapped(ends));
}

}  // namespace

std::string workflowDocument(std::span<const Workflow* const> workflows) {
  std::string out{kHead};
  for (const auto* flow : workflows) out += chapter(*flow);
  out += "\n## Steps\n";
  std::vector<std::string_view> told;
  for (const auto* flow : workflows)
    for (const auto& step : flow->steps) {
      if (std::find(told.begin(), told.end(), step.id) != told.end()) continue;
      told.push_back(step.id);
      out += description(step);
    }
  return out;
}

}  // namespace zellige::commands
