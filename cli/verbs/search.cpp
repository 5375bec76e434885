#include <algorithm>
#include <filesystem>
#include <map>

#include "cli/requirements_error.h"
#include "cli/search/search_run.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "codegen/targets.h"
#include "core/error.h"
#include "search/candidate_cost.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

struct Arguments {
  std::string config, output;
  int samples = 10;
  bool json = false;
};

json choices_of(const search::Space& space, const search::Point& point) {
  json choices = json::array();
  for (std::size_t k = 0; k < point.size(); ++k)
    choices.push_back(space.parameters[k].choices[static_cast<std::size_t>(point[k])]);
  return choices;
}

json names_of(const search::Space& space) {
  json names = json::array();
  for (const search::Parameter& p : space.parameters) names.push_back(p.name);
  return names;
}

std::string in_words(const json& choices) {
  std::string text;
  for (const json& choice : choices) text += (text.empty() ? "" : " ") + choice.get<std::string>();
  return text;
}

json sample(const LoadedSearch& loaded, int count) {
  const search::SearchConfig& config = loaded.config;
  const Target target = find_target(config.target);
  const latency::LatencyTable table = table_of(loaded);
  const search::Space& space = loaded.candidates->space();
  json samples = json::array();
  for (int i = 0; i < count; ++i) {
    RandomStream random = Random(config.seed).stream("sample", i);
    const search::Point point = space.sample(random);
    const search::CandidateCost cost = loaded.candidates->cost(point, target, table);
    samples.push_back({{"choices", choices_of(space, point)},
                       {"latency_ms", 1e-3 * cost.latency.us},
                       {"low_ms", 1e-3 * cost.latency.low_us},
                       {"high_ms", 1e-3 * cost.latency.high_us},
                       {"macs", cost.macs},
                       {"parameters", cost.parameters},
                       {"size_bytes", cost.size_bytes},
                       {"peak_bytes", cost.peak_bytes}});
  }
  return {{"name", config.name},
          {"parameters", names_of(space)},
          {"candidates", space.size()},
          {"samples", samples}};
}

std::string sample_text(const json& result) {
  Table table(
      {"<candidate", "latency, ms", "from", "to", "MACs", "parameters", "size", "peak memory"});
  for (const json& s : result["samples"])
    table.add({in_words(s["choices"]), fixed_text(s["latency_ms"], 4), fixed_text(s["low_ms"], 4),
               fixed_text(s["high_ms"], 4), grouped(s["macs"].get<long long>()),
               grouped(s["parameters"].get<long long>()), bytes_text(s["size_bytes"]),
               bytes_text(s["peak_bytes"])});
  return str(grouped(result["candidates"].get<long long>()), " candidates\n", table.text());
}

// How far a study is, and the trials that no other one dominates.
json status(const LoadedSearch& loaded) {
  const std::vector<search::StudyTrial> trials = study_of(loaded)->trials();
  const search::Space& space = loaded.candidates->space();
  const int last = std::max(0, static_cast<int>(loaded.config.steps.size()) - 1);
  std::map<std::string, int> count = {{"running", 0}, {"finished", 0}, {"failed", 0}};
  std::vector<const search::StudyTrial*> finished;
  std::vector<search::Objectives> objectives;
  json failed = json::array();
  int beyond = 0;  // finished, and more than what is required
  for (const search::StudyTrial& t : trials) {
    ++count[name_of(t.state)];
    if (t.state == search::TrialState::failed)
      failed.push_back({{"trial", t.number}, {"reason", t.reason}});
    if (t.state != search::TrialState::finished || t.step != last) continue;
    if (!keeps_requirements(loaded.config, t.objectives)) {
      ++beyond;
      continue;
    }
    finished.push_back(&t);
    objectives.push_back(t.objectives);
  }
  const std::vector<std::size_t> fronts = search::fronts_of(objectives);
  std::vector<const search::StudyTrial*> best;
  for (std::size_t i = 0; i < finished.size(); ++i) {
    if (fronts[i] == 0) best.push_back(finished[i]);
  }
  std::stable_sort(best.begin(), best.end(),
                   [](const auto* a, const auto* b) { return a->objectives < b->objectives; });
  json rows = json::array();
  for (const search::StudyTrial* t : best) {
    json row = {{"trial", t->number}, {"choices", choices_of(space, t->point)}};
    for (std::size_t k = 0; k < t->objectives.size(); ++k)
      row[loaded.config.objectives[k]] = t->objectives[k];
    rows.push_back(row);
  }
  return {{"name", loaded.config.name},
          {"trials", loaded.config.trials},
          {"running", count["running"]},
          {"finished", count["finished"]},
          {"failed", count["failed"]},
          {"beyond_requirements", beyond},
          {"failures", failed},
          {"objectives", loaded.config.objectives},
          {"parameters", names_of(space)},
          {"best", rows}};
}

std::string status_text(const json& result) {
  std::string text = str(result["finished"], " of ", result["trials"], " trials finished, ",
                         result["running"], " running, ", result["failed"], " failed\n");
  if (result["beyond_requirements"] > 0)
    text += str(result["beyond_requirements"], " finished ones do not keep what is required\n");
  for (const json& f : result["failures"])
    text += str("trial ", f["trial"], ": ", f["reason"].get<std::string>(), "\n");
  std::vector<std::string> header = {"trial"};
  for (const json& name : result["objectives"]) header.push_back(name);
  header.emplace_back("<candidate");
  Table table(header);
  for (const json& row : result["best"]) {
    std::vector<std::string> cells = {row["trial"].dump()};
    for (const json& name : result["objectives"])
      cells.push_back(fixed_text(row[name.get<std::string>()], 4));
    cells.push_back(in_words(row["choices"]));
    table.add(cells);
  }
  return result["best"].empty() ? text : text + "\nwhat no other trial dominates:\n" + table.text();
}

void print(const json& result, bool as_json, std::string (*text)(const json&)) {
  if (as_json)
    print_json(result);
  else
    std::cout << text(result);
}

}  // namespace

void add_search(CLI::App& app, int& /*exit_code*/) {
  auto args = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand(
      "search", "Looks for networks for a device: proposes, trains, compiles and measures them.");
  verb->add_option("config", args->config, "JSON file of a search; docs/search.md describes it.");
  verb->add_option("-o,--output", args->output, "Folder of the search; runs/NAME by default.");
  verb->add_flag("--json", args->json, "Print one JSON object.");
  verb->callback([args, verb] {
    if (!verb->get_subcommands().empty()) return;
    if (args->config.empty()) throw CLI::RequiredError("config");
    const LoadedSearch loaded = load_search(args->config, args->output);
    work_on_study(loaded);
    const json result = status(loaded);
    print(result, args->json, status_text);
    if (result["best"].empty() && result["beyond_requirements"] > 0)
      throw RequirementsError(
          str(args->config, ": /requirements: no trial keeps them when it is measured"));
  });

  const auto add = [&](const char* name, const char* help) {
    CLI::App* added = verb->add_subcommand(name, help);
    added->add_option("config", args->config, "JSON file of a search.")->required();
    added->add_flag("--json", args->json, "Print one JSON object.");
    return added;
  };
  CLI::App* space = add("space", "Candidates drawn from a config's space, and what each costs.");
  space->add_option("--sample", args->samples, "How many.")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  space->callback([args] {
    print(sample(load_search(args->config, ""), args->samples), args->json, sample_text);
  });
  CLI::App* how_far = add("status", "How far a search is, and its best trials up to now.");
  how_far->add_option("-o,--output", args->output, "Folder of the search; runs/NAME by default.");
  how_far->callback(
      [args] { print(status(load_search(args->config, args->output)), args->json, status_text); });
}

}  // namespace xgen::cli
