#include <filesystem>
#include <optional>

#include "cli/search/best.h"
#include "cli/search/deadline.h"
#include "cli/search/export_trial.h"
#include "cli/search/search_run.h"
#include "cli/search/show_trial.h"
#include "cli/search/study_report.h"
#include "cli/search/study_results.h"
#include "cli/search/transfer.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "codegen/targets.h"
#include "core/atomic_file.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "search/candidate_cost.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

struct Arguments {
  std::string config, output, file, folder, text;
  std::optional<std::int64_t> trial;
  std::vector<std::string> requirements;
  std::optional<double> minutes;
  int samples = 10;
  bool json = false;
};

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
  const StudyResults results =
      results_of(loaded, requirements_of(loaded.config.requirements, loaded.config.objectives));
  json rows = json::array();
  for (const search::StudyTrial& t : best_of(results.kept))
    rows.push_back(row_of(loaded, results.space, t));
  return {{"name", loaded.config.name},
          {"trials", loaded.config.trials},
          {"running", results.running.size()},
          {"finished", results.finished.size()},
          {"failed", results.failed.size()},
          {"beyond_requirements", results.beyond.size()},
          {"failures", failures_of(results)},
          {"kernel_times", kernel_times_of(loaded)},
          {"steps", steps_of(loaded, results)},
          {"objectives", loaded.config.objectives},
          {"parameters", names_of(results.space)},
          {"best", rows}};
}

std::string status_text(const json& result) {
  std::string text = str(result["finished"], " of ", result["trials"], " trials finished, ",
                         result["running"], " running, ", result["failed"], " failed\n");
  if (result["steps"].size() > 1) text = steps_text(result["steps"]) + text;
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

// Until all trials have ended, or for so long; what is under way then goes on another time.
void work(const LoadedSearch& loaded, std::optional<double> minutes) {
  const Deadline deadline(minutes);
  try {
    work_on_study(loaded);
  } catch (const Interrupted& stopped) {
    if (!deadline.has_passed()) throw;
    log::info(str("the time is over: ", stopped.what()));
  }
}

void print(const json& result, bool as_json, std::string (*text)(const json&)) {
  if (as_json)
    print_json(result);
  else
    std::cout << text(result);
}

void write_report(const LoadedSearch& loaded, bool as_json) {
  json report = study_report(loaded);
  const std::filesystem::path page = loaded.output / "report.html";
  write_atomically(page, study_page(report));
  report["report"] = page.string();
  if (as_json)
    print_json(report);
  else
    std::cout << page.string() << "\n";
}

}  // namespace

void add_search(CLI::App& app, int& /*exit_code*/) {
  auto args = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand(
      "search", "Looks for networks for a device: proposes, trains, compiles and measures them.");
  verb->add_option("config", args->config, "JSON file of a search; docs/search.md describes it.");
  verb->add_option("-o,--output", args->output, "Folder of the search; runs/NAME by default.");
  verb->add_flag("--json", args->json, "Print one JSON object.");
  verb->add_option("--minutes", args->minutes, "Stops then; the same command goes on another time.")
      ->check(CLI::PositiveNumber);
  verb->callback([args, verb] {
    if (!verb->get_subcommands().empty()) return;
    if (args->config.empty()) throw CLI::RequiredError("config");
    const LoadedSearch loaded = load_search(args->config, args->output);
    work(loaded, args->minutes);
    const json result = status(loaded);
    print(result, args->json, status_text);
    const std::vector<Requirement> required =
        requirements_of(loaded.config.requirements, loaded.config.objectives);
    check_one_is_kept(loaded, required, results_of(loaded, required));
  });

  const auto add = [&](const char* name, const char* help) {
    CLI::App* added = verb->add_subcommand(name, help);
    added->add_option("config", args->config, "JSON file of a search.")->required();
    return added;
  };
  const auto add_json = [&](CLI::App* to) {
    to->add_flag("--json", args->json, "Print one JSON object.");
  };
  const auto add_folder = [&](CLI::App* to) {
    to->add_option("-o,--output", args->output, "Folder of the search; runs/NAME by default.");
  };
  CLI::App* space = add("space", "Candidates drawn from a config's space, and what each costs.");
  add_json(space);
  space->add_option("--sample", args->samples, "How many.")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  space->callback([args] {
    print(sample(load_search(args->config, ""), args->samples), args->json, sample_text);
  });
  CLI::App* how_far = add("status", "How far a search is, and its best trials up to now.");
  add_json(how_far);
  add_folder(how_far);
  how_far->callback(
      [args] { print(status(load_search(args->config, args->output)), args->json, status_text); });
  CLI::App* best = add("best", "The trials that keep what is required and that none dominates.");
  add_json(best);
  add_folder(best);
  best->add_option("--requirements", args->requirements,
                   "KEY=VALUE, besides the config's: error_max, latency_ms_max, size_bytes_max, "
                   "peak_ram_bytes_max.")
      ->allow_extra_args(false);
  best->callback([args] {
    print(best_trials(load_search(args->config, args->output), args->requirements), args->json,
          best_text);
  });
  CLI::App* one = add("trial", "All that a study keeps of one trial.");
  one->add_option("number", args->trial, "Of the trial.")->required();
  add_json(one);
  add_folder(one);
  one->add_option("--text", args->text,
                  "Prints one of its texts alone: graph, log, kernels or report.");
  one->callback([args] {
    const json shown = show_trial(load_search(args->config, args->output), *args->trial);
    if (args->text.empty())
      print(shown, args->json, trial_text);
    else
      std::cout << text_of_trial(shown, args->text);
  });
  CLI::App* report = add("report", "Writes report.html into the folder of the search.");
  add_json(report);
  add_folder(report);
  report->callback([args] { write_report(load_search(args->config, args->output), args->json); });
  CLI::App* exported = add("export",
                           "A study as lines of JSON: what it is, then a trial each; or one trial "
                           "as a run that goes on with its candidate.");
  add_folder(exported);
  CLI::Option* lines =
      exported->add_option("--file", args->file, "Of a study: written as a whole; else stdout.");
  CLI::Option* trial = exported->add_option("--trial", args->trial, "Number of the trial.");
  trial->excludes(lines);
  exported
      ->add_option("--to", args->folder,
                   "Of a trial: where candidate.onnx and run.json are written; exported/NUMBER in "
                   "the folder of the search by default.")
      ->needs(trial);
  exported->callback([args] {
    const LoadedSearch loaded = load_search(args->config, args->output);
    if (args->trial)
      std::cout << export_trial(loaded, *args->trial, args->folder).string() << "\n";
    else
      export_study(loaded, args->file);
  });
  CLI::App* imported = add("import", "Makes a search's study from what `search export` wrote.");
  imported->add_option("file", args->file, "What was exported.")->required();
  add_folder(imported);
  imported->callback([args] {
    std::cout << import_study(load_search(args->config, args->output), args->file) << "\n";
  });
}

}  // namespace xgen::cli
